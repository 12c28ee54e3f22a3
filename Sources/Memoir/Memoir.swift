// The library people import: the engine comes with it.
@_exported public import EventStore
