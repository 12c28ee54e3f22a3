// The memory: what events of a person's conversations mean, and what one can ask about them.
// Whoever imports it has the engine's values (ids, versions, events) at hand as well.
@_exported public import EventStore
