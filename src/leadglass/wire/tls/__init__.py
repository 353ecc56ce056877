"""TLS up to version 1.2 as far as it is plain: a hello out, the server's first flight in.

Read it bottom up: ``suites`` (numbers to names, and which are retired), ``records`` (a stream cut
into records), ``messages`` (handshake bodies to values), ``flight`` (the two together), ``hello``
(what we offer). No handshake is ever finished here, nothing is encrypted or verified: that is
OpenSSL's work, in ``probe``. This exists because OpenSSL no longer offers what a weak server may
still take, and because a hello costs a server far less than a handshake.

Like the rest of ``wire``: no I/O, no clock, no randomness, no logging; whatever bytes come, an event
or a ``RemoteProtocolError``, in bounded memory and time.
"""
