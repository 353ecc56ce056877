"""The DICOM protocols, sans-IO: bytes in, events out.

Read it bottom up: ``uids`` and ``limits``; ``items`` and ``pdu`` (the seven PDUs of PS3.8);
``framing`` (a stream cut into PDUs); ``states`` (PS3.8 table 9-10 as data) and ``association``
(the machine that obeys it); ``dimse`` and ``command`` (PS3.7 messages); ``pdata`` (messages to
fragments and back) and ``streaming`` (the same in passing); ``dataset`` (the little of PS3.5 that a
query identifier needs) and ``elements`` (data sets walked, for whoever may).

Nothing here opens a socket, reads a clock, draws a random number, writes a log or imports anything
of Leadglass but ``errors``. Whatever bytes a peer sends become an event or a ``RemoteProtocolError``,
in bounded memory and time; our own misuse is a ``LocalProtocolError``; nothing else is ever raised.
This package imports nothing by itself, so that a scan worker loads only the modules it uses.
"""
