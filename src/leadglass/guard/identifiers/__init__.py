"""What DIMSE data sets ask for and tell: identifiers, matches, the heads of objects.

Bytes in, bytes and nouns out; nothing here knows a socket, a policy or a moment. What a client sends
is read, held against the grammar of its service, and written anew: nothing is relayed that was not
understood. A request is planned or ``Refused`` with the status that the client's log will show;
bytes that are no data set are a ``RemoteProtocolError``, as everywhere in ``wire``.
"""
