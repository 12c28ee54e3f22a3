// A vector in a quarter of its size: numbers of eight bits and one factor for all of them.
internal import Bytes

/// A vector of length 1 whose numbers are multiples of ``scale``, from -127 to 127 of it.
///
/// Of the ten nearest of 5,000 texts that whole numbers find, these find 9.96 (200 questions, all-MiniLM-L6-v2 of 384
/// dimensions; of the first five 4.95): the error of a product is 0.0004, at most 0.003.
struct QuantizedVector: Sendable {
  static let lanes = 32
  private static let greatest: Float = 127

  let dimension: Int
  let scale: Float
  /// 32 numbers each; behind the last there are zeros.
  let blocks: [SIMD32<Int8>]

  /// The nearest such vector.
  ///
  /// - Returns: `nil` where it is empty, of zeros, or holds what is no finite number.
  init?(_ vector: [Float]) {
    var vector = vector
    guard !vector.isEmpty, vector.count <= EmbeddingClient.greatestDimension, vector.normalize() else { return nil }
    let largest = vector.reduce(0) { max($0, abs($1)) }
    dimension = vector.count
    scale = largest / Self.greatest
    var blocks = [SIMD32<Int8>](repeating: SIMD32(), count: Self.blockCount(vector.count))
    for (index, number) in vector.enumerated() {
      let whole = (number / scale).rounded()
      blocks[index / Self.lanes][index % Self.lanes] = Int8(max(-Self.greatest, min(Self.greatest, whole)))
    }
    self.blocks = blocks
  }

  static func blockCount(_ dimension: Int) -> Int { (dimension + lanes - 1) / lanes }

  /// The product with the vector whose blocks begin at `start`, without both scales.
  ///
  /// Two products of bytes fit into 16 bits, which processors multiply many at a time.
  func product(_ others: Span<SIMD32<Int8>>, at start: Int) -> Int32 {
    var sum = SIMD16<Int32>()
    for index in blocks.indices {
      let (a, b) = (blocks[index], others[start + index])
      let low = SIMD16<Int16>(truncatingIfNeeded: a.lowHalf) &* SIMD16<Int16>(truncatingIfNeeded: b.lowHalf)
      let high = SIMD16<Int16>(truncatingIfNeeded: a.highHalf) &* SIMD16<Int16>(truncatingIfNeeded: b.highHalf)
      sum &+= SIMD16<Int32>(truncatingIfNeeded: low &+ high)
    }
    return sum.wrappedSum()
  }
}

/// What is stored of an event's text.
enum StoredVector {
  /// The model refused the text: it is not sent again.
  static let refused: [UInt8] = [form, 0]
  private static let form: UInt8 = 1

  static func bytes(_ kind: MemoryKind, _ vector: QuantizedVector) -> [UInt8] {
    var writer = ByteWriter(capacity: vector.dimension + 6)
    writer.write(form)
    writer.write(kind.rawValue)
    writer.write(vector.scale.bitPattern)
    for index in 0..<vector.dimension {
      writer.write(UInt8(bitPattern: vector.blocks[index / QuantizedVector.lanes][index % QuantizedVector.lanes]))
    }
    return writer.bytes
  }

  /// The kind and the numbers; `nil` for a text that was refused.
  ///
  /// - Throws: ``DamagedBytes`` where they are no vector.
  static func read(_ reader: inout ByteReader) throws(DamagedBytes) -> (kind: MemoryKind, scale: Float)? {
    guard try reader.readUInt8() == form else { throw DamagedBytes() }
    let number = try reader.readUInt8()
    if number == 0 { return nil }
    let scale = Float(bitPattern: try reader.readUInt32())
    guard let kind = MemoryKind(rawValue: number), scale.isFinite, scale > 0,
      1...EmbeddingClient.greatestDimension ~= reader.remaining
    else { throw DamagedBytes() }
    return (kind, scale)
  }
}
