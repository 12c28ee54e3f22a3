public import EventStore
