"""Real servers with planted patients, in network namespaces, for the interop and acceptance tests.

Import the modules: ``from tests.peers import netns, orthanc``. Nothing here is shipped, and
nothing here binds an address outside loopback or a namespace that it made itself.
"""
