// The borders between the targets, and the habits of every file.
import Foundation
import Testing

/// Who may import what of ours. The compiler lets an import through that the manifest does not declare.
private enum Layout {
  /// Modules of the system.
  static let system: Set<String> = ["Glibc", "Synchronization"]
  static let testing: Set<String> = system.union(["Foundation", "Testing"])

  /// What each target of `Sources` may import of ours.
  static let sources: [String: Set<String>] = [
    "Bytes": ["CMemoirXXHash"],
    "Gzip": ["CMemoirZLib"],
    "HTTPClient": ["CMemoirCurl", "Platform"],
    "HTTPServer": ["CMemoirHTTPD", "Platform"],
    "JSON": ["CMemoirJSON"],
    "LMDB": ["CMemoirLMDB"],
    "Platform": [],
    "Sodium": ["CMemoirSodium", "Bytes"],
    "Stemmer": ["CMemoirStemmer", "Bytes"],
    "UTF8Proc": ["CMemoirUTF8Proc", "Bytes"],
    "EventStore": ["Bytes", "JSON", "LMDB", "Platform", "Sodium"],
    "Memoir": ["EventStore", "Bytes", "HTTPClient", "JSON", "Platform", "Sodium", "Stemmer", "UTF8Proc"],
    "MemoirMCP": ["Memoir", "JSON", "Platform"],
    "MemoirServer": ["Memoir", "MemoirMCP", "Bytes", "Gzip", "HTTPServer", "JSON", "Platform", "Sodium"],
    "MemoirCLI": ["Memoir", "MemoirServer", "MemoirMCP", "MemoirFixtures", "HTTPServer", "JSON", "Platform"],
    "MemoirCommand": ["MemoirCLI"],
    "MemoirFixtures": [],
  ]
}

@Suite struct `The imports of every file` {
  @Test func `are allowed by the layout, and declared`() throws {
    let targets = try Project.targets()
    let ours = Set(targets.map(\.name))
    for target in targets {
      let files = try Project.sources(below: target.folder)
      let isTest = target.folder.hasPrefix("Tests") || target.folder.hasPrefix("Benchmarks")
      for file in files {
        for module in file.imports {
          if !ours.contains(module) {
            let allowed = isTest ? Layout.testing : Layout.system
            #expect(allowed.contains(module), "\(file) imports \(module)")
            continue
          }
          #expect(target.imports.contains(module), "\(file) imports \(module); Package.swift does not say so")
          if !isTest, let allowed = Layout.sources[target.name] {
            #expect(allowed.contains(module), "\(file) imports \(module); the layout does not allow it")
          }
        }
      }
      if !isTest, !target.name.hasPrefix("CMemoir") {
        #expect(Layout.sources[target.name] != nil, "\(target.name) is not on the list of this test")
      }
    }
  }

  @Test func `of a C library are in its wrapper alone`() throws {
    for target in try Project.targets() {
      for module in target.imports where module.hasPrefix("CMemoir") {
        #expect(target.folder.hasPrefix("Sources/Libraries/"), "\(target.name) imports \(module)")
      }
    }
  }

  @Test func `name the command line only in its program and its tests`() throws {
    let importers = try Project.targets().filter { $0.imports.contains("MemoirCLI") }.map(\.name)
    #expect(Set(importers).isSubset(of: ["MemoirCommand", "MemoirCLITests"]))
  }

  // Who builds `memoir` needs no other store, and nothing depends on how it is measured.
  @Test func `name the benchmarks only in their program and their tests`() throws {
    for (module, allowed) in [
      ("PeerBench", ["MemoirBench"]), ("MemoirBench", ["MemoirBenchCommand", "BenchTests"]),
    ] {
      let importers = try Project.targets().filter { $0.imports.contains(module) }.map(\.name)
      #expect(Set(importers).isSubset(of: allowed), "\(module)")
    }
  }

  // A target whose files no target of Package.swift covers is compiled by nobody.
  @Test func `belong to a target`() throws {
    let folders = try Project.targets().map { $0.folder + "/" }
    for folder in ["Sources", "Tests", "Benchmarks", "Fixtures"] {
      for path in Project.files(below: folder, ending: ".swift") {
        #expect(folders.contains { path.hasPrefix($0) }, "\(path) is in no target")
      }
    }
  }
}

@Suite struct `Every file` {
  @Test func `opens with what it is about`() throws {
    for folder in ["Sources", "Tests", "Benchmarks", "Fixtures"] {
      for file in try Project.sources(below: folder) {
        #expect(file.text.hasPrefix("// "), "\(file)")
      }
    }
  }

  @Test func `is unsafe only in the wrappers of libraries`() throws {
    for folder in ["Sources/EventStore", "Sources/Memoir", "Sources/Interfaces"] {
      for file in try Project.sources(below: folder) {
        for line in file.code where line.text.contains("nsafe") || line.text.contains("@unchecked") {
          #expect(!line.text.contains(/\bunsafe\b|\bUnsafe\w*|@unchecked/), "\(file):\(line.number)")
        }
      }
    }
  }

  @Test func `is finished`() throws {
    // Spelled in two halves, so that this file is not found.
    let marks = ["TO" + "DO", "FIX" + "ME"]
    for folder in ["Sources", "Tests", "Benchmarks", "Fixtures"] {
      for file in try Project.sources(below: folder) {
        for mark in marks {
          #expect(!file.text.utf8.contains(mark.utf8), "\(file) has a \(mark)")
        }
      }
    }
  }
}

@Suite struct `The top of the tree` {
  @Test func `has what the layout says and nothing else`() throws {
    let allowed: Set<String> = [
      "Package.swift", "Package.resolved", "README.md", "Sources", "Tests", "Benchmarks", "Fixtures",
    ]
    let found = try FileManager.default.contentsOfDirectory(atPath: Project.root.path)
    let odd = found.filter { !$0.hasPrefix(".") && !allowed.contains($0) && $0 != "memoir.store" }
    // What tests leave behind by hand (a status file, a store) is nobody's business unless it is tracked.
    #expect(try tracked(odd).isEmpty, "\(odd)")
  }

  /// Those of `names` that Git knows; all of them where there is no Git to ask.
  private func tracked(_ names: [String]) throws -> [String] {
    guard !names.isEmpty else { return [] }
    let git = try Shell.run("git ls-files -- " + names.joined(separator: " "), in: Project.root.path)
    return git.status == 0 ? git.output.split(separator: "\n").map(String.init) : names
  }
}
