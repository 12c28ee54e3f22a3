// swift-tools-version: 6.3
// The list of targets reads as the architecture: libraries of the system, the engine, the memory, its surfaces.
import PackageDescription

/// The settings of every target: nothing unsafe unmarked, no warning, no accidental re-export.
let strict: [SwiftSetting] = [
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableExperimentalFeature("Lifetimes"),
]

func library(_ name: String, imports: [Target.Dependency] = [], at path: String) -> Target {
  .target(name: name, dependencies: imports, path: path, swiftSettings: strict)
}

func tests(_ name: String, of imports: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: imports, path: "Tests/\(name)", swiftSettings: strict)
}

let package = Package(
  name: "memoir",
  products: [
    .library(name: "Memoir", targets: ["Memoir"]),
    .library(name: "EventStore", targets: ["EventStore"]),
    .executable(name: "memoir", targets: ["MemoirCommand"]),
    // Memoir beside plain LMDB and SQLite.
    .executable(name: "memoir-bench", targets: ["MemoirBenchCommand"]),
    // For tests: the process that they kill.
    .executable(name: "memoir-crash-agent", targets: ["CrashAgent"]),
  ],
  targets: [
    // Libraries of the system, each with the Swift that makes it safe.
    .systemLibrary(
      name: "CMemoirLMDB", path: "Sources/Libraries/CMemoirLMDB",
      pkgConfig: "lmdb", providers: [.apt(["liblmdb-dev"])]),
    .systemLibrary(
      name: "CMemoirSodium", path: "Sources/Libraries/CMemoirSodium",
      pkgConfig: "libsodium", providers: [.apt(["libsodium-dev"])]),
    .systemLibrary(
      name: "CMemoirXXHash", path: "Sources/Libraries/CMemoirXXHash",
      pkgConfig: "libxxhash", providers: [.apt(["libxxhash-dev"])]),
    .systemLibrary(
      name: "CMemoirStemmer", path: "Sources/Libraries/CMemoirStemmer",
      providers: [.apt(["libstemmer-dev"])]),
    .systemLibrary(
      name: "CMemoirUTF8Proc", path: "Sources/Libraries/CMemoirUTF8Proc",
      providers: [.apt(["libutf8proc-dev"])]),
    .systemLibrary(
      name: "CMemoirZLib", path: "Sources/Libraries/CMemoirZLib",
      pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .target(
      name: "CMemoirJSON", path: "Sources/Libraries/CMemoirJSON",
      linkerSettings: [.linkedLibrary("simdjson")]),
    .target(
      name: "CMemoirHTTPD", path: "Sources/Libraries/CMemoirHTTPD", linkerSettings: [.linkedLibrary("microhttpd")]),
    .target(name: "CMemoirCurl", path: "Sources/Libraries/CMemoirCurl", linkerSettings: [.linkedLibrary("dl")]),
    library("Bytes", imports: ["CMemoirXXHash"], at: "Sources/Libraries/Bytes"),
    library("Gzip", imports: ["CMemoirZLib"], at: "Sources/Libraries/Gzip"),
    library("HTTPClient", imports: ["CMemoirCurl", "Platform"], at: "Sources/Libraries/HTTPClient"),
    library("HTTPServer", imports: ["CMemoirHTTPD", "Platform"], at: "Sources/Libraries/HTTPServer"),
    library("JSON", imports: ["CMemoirJSON"], at: "Sources/Libraries/JSON"),
    library("LMDB", imports: ["CMemoirLMDB"], at: "Sources/Libraries/LMDB"),
    library("Platform", at: "Sources/Libraries/Platform"),
    library("Sodium", imports: ["CMemoirSodium", "Bytes"], at: "Sources/Libraries/Sodium"),
    library("Stemmer", imports: ["CMemoirStemmer", "Bytes"], at: "Sources/Libraries/Stemmer"),
    library("UTF8Proc", imports: ["CMemoirUTF8Proc", "Bytes"], at: "Sources/Libraries/UTF8Proc"),

    // The engine.
    library(
      "EventStore", imports: ["Bytes", "JSON", "LMDB", "Platform", "Sodium"], at: "Sources/EventStore"),
    // The memory.
    library(
      "Memoir",
      imports: ["EventStore", "Bytes", "HTTPClient", "JSON", "Platform", "Sodium", "Stemmer", "UTF8Proc"],
      at: "Sources/Memoir"),

    // Its surfaces.
    library("MemoirMCP", imports: ["Memoir", "JSON", "Platform"], at: "Sources/Interfaces/MemoirMCP"),
    library(
      "MemoirServer", imports: ["Memoir", "MemoirMCP", "Bytes", "Gzip", "HTTPServer", "JSON", "Platform", "Sodium"],
      at: "Sources/Interfaces/MemoirServer"),
    library(
      "MemoirCLI",
      imports: ["Memoir", "MemoirServer", "MemoirMCP", "MemoirFixtures", "HTTPServer", "JSON", "Platform"],
      at: "Sources/Interfaces/MemoirCLI"),
    .executableTarget(
      name: "MemoirCommand", dependencies: ["MemoirCLI"], path: "Sources/Interfaces/MemoirCommand",
      swiftSettings: strict),

    // The story that `memoir demo` tells.
    .target(
      name: "MemoirFixtures", path: "Fixtures", exclude: ["README.md", "Formats", "Distillation", "Fuzzing"],
      resources: [.embedInCode("Demo/events.jsonl")], swiftSettings: strict),

    // Benchmarks. The same work on other stores is a target of its own: whoever builds `memoir` does not need them.
    .target(
      name: "PeerBench", path: "Benchmarks/PeerBench",
      linkerSettings: [.linkedLibrary("lmdb"), .linkedLibrary("microhttpd"), .linkedLibrary("sqlite3")]),
    .target(
      name: "MemoirBench", dependencies: ["HTTPServer", "Memoir", "MemoirServer", "PeerBench", "Platform", "Sodium"],
      path: "Benchmarks/MemoirBench",
      resources: [.embedInCode("import_into_sqlite.py")], swiftSettings: strict),
    .executableTarget(
      name: "MemoirBenchCommand", dependencies: ["MemoirBench"], path: "Benchmarks/MemoirBenchCommand",
      swiftSettings: strict),

    // Tests.
    library("TestSupport", imports: ["Bytes", "EventStore", "JSON", "Platform"], at: "Tests/Support"),
    .executableTarget(
      name: "CrashAgent", dependencies: ["Bytes", "EventStore", "JSON", "LMDB", "Memoir", "Platform", "TestSupport"],
      path: "Tests/CrashAgent", swiftSettings: strict),
    .testTarget(
      name: "CrashTests", dependencies: ["CrashAgent", "EventStore", "Platform", "TestSupport"],
      path: "Tests/CrashTests", exclude: ["PowerLoss"], swiftSettings: strict),
    tests(
      "MemoirCLITests",
      of: ["MemoirCLI", "MemoirCommand", "MemoirFixtures", "Memoir", "TestSupport"]),
    tests("EventStoreTests", of: ["Bytes", "EventStore", "JSON", "LMDB", "Platform", "Sodium", "TestSupport"]),
    tests("LMDBTests", of: ["LMDB", "Platform"]),
    tests("HTTPClientTests", of: ["HTTPClient", "TestSupport"]),
    tests("JSONTests", of: ["JSON"]),
    tests(
      "MemoirServerTests",
      of: [
        "EventStore", "Gzip", "HTTPServer", "JSON", "Memoir", "MemoirCommand", "MemoirServer", "Platform",
        "TestSupport",
      ]),
    tests("BenchTests", of: ["Memoir", "MemoirBench", "MemoirBenchCommand", "MemoirCommand"]),
    tests("MemoirTests", of: ["Memoir", "EventStore", "Bytes", "JSON", "Sodium", "TestSupport"]),
    tests(
      "MemoirMCPTests", of: ["Memoir", "MemoirMCP", "MemoirCommand", "EventStore", "JSON", "Platform", "TestSupport"]),
    tests("PlatformTests", of: ["Platform"]),
    .testTarget(
      name: "FuzzTests",
      dependencies: [
        "Bytes", "EventStore", "HTTPServer", "JSON", "Memoir", "MemoirMCP", "MemoirServer", "Platform", "Sodium",
        "TestSupport",
      ], path: "Tests/FuzzTests", exclude: ["Program.swift"], swiftSettings: strict),
    tests("ProjectTests", of: ["Memoir", "MemoirCommand"]),
  ]
)

// `Tests/fuzz` builds the targets of the fuzzers into a program around libFuzzer, instead of tests.
if Context.environment["MEMOIR_FUZZ"] != nil,
  let index = package.targets.firstIndex(where: { $0.name == "FuzzTests" })
{
  let tests = package.targets[index]
  package.targets[index] = .executableTarget(
    name: "memoir-fuzz", dependencies: tests.dependencies, path: tests.path,
    exclude: ["FoundTests.swift", "SmokeTests.swift"],
    swiftSettings: strict)
}

// What `Tests/run --sanitize` needs not, it does not build.
if let kept = Context.environment["MEMOIR_TESTS"] {
  package.targets.removeAll { $0.type == .test && !kept.split(separator: " ").contains(Substring($0.name)) }
}
