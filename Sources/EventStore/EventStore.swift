// What comes with the engine: a projector's state is written as bytes, and metadata is JSON.
@_exported public import Bytes
@_exported public import JSON
