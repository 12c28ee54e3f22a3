// When a sentence says what another one says, and when it takes its place.
import Memoir
import Testing

@Suite struct `A new sentence` {
  static let same = [
    ("Lives in Lisbon", "  lives in   LISBON! "), ("The sky is blue.", "sky is blue"),
    ("Said “yes”", "said \"yes\""), ("My name is Ana", "The user's name is Ana."),
    ("database: PostgreSQL", "The database is PostgreSQL"), ("I live in Porto", "Lives in Porto"),
    ("!!!", "!!!"), ("Café", "Cafe\u{301}"),
  ]

  @Test(arguments: same) func `says the same`(new: String, live: String) {
    #expect(Contradiction.verdict(on: live, by: new) == .same)
    #expect(Contradiction.verdict(on: new, by: live) == .same)
  }

  static let superseding = [
    ("Favourite colour is red", "Favourite colour is blue"), ("My favorite color is red", "Favourite colour is blue"),
    ("Lives in Porto", "Lives in Lisbon"), ("The user lives in Porto.", "I live in Lisbon"),
    ("Lives in Porto, Portugal", "Lives in Lisbon, Portugal"),
    ("My wife lives in Porto", "My wife lives in Lisbon"), ("Bob lives in Porto", "Bob lives in Lisbon"),
    ("Ana Silva works at Beta", "Ana Silva works at Acme"),
    ("The user's mother works at Beta", "My mother works at Acme"),
    ("My father is 71 years old", "My father is 70 years old"), ("My wife's name is Ann", "My wife's name is Ana"),
    ("The budget is $8,000", "The budget is $5,000"), ("Email is ana@b.com", "Email is ana@a.com"),
    ("Phone number is +351 999", "Phone number is +351 912"), ("Theme is light", "Theme is dark"),
    ("Doesn't live in Lisbon anymore", "Lives in Lisbon"), ("I do not live in Lisbon any longer", "Lives in Lisbon"),
    ("Doesn't like tea anymore", "Likes tea"), ("Doesn't like tea any more.", "I like tea"),
    ("Is not vegetarian anymore", "Is vegetarian"), ("The budget is 8 million", "The budget is 5 million"),
    ("The manager is Eve", "The manager is Ana"), ("Favourite film is Alien", "Favourite film is 12 Angry Men"),
    ("Favourite food is soup", "Favourite food is hot chocolate"),
    ("Works at Beta", "Works for Acme"), ("Is employed by Beta", "Works at Acme"),
    ("Name is Ann", "My name is Ana"), ("Is called Ann", "Name is Ana"),
    ("The deadline is Monday", "The deadline is Friday"), ("The report is due on 5 June", "The report is due on 1 May"),
    ("The database is MySQL 8.4 on RDS.", "The database is PostgreSQL 14 on RDS."),
    ("The database uses MySQL", "The database is PostgreSQL"), ("database: PostgreSQL 15", "database: PostgreSQL 14"),
    ("code_style: tabs", "code_style: spaces"), ("Uses MySQL as the database", "Uses PostgreSQL as the database"),
    ("Is 31 years old", "Is 30 years old"), ("Prefers coffee over tea", "Prefers tea over coffee"),
    ("Likes tea more than coffee", "Likes coffee more than tea"), ("Does not like tea", "Likes tea"),
    ("Likes tea", "Doesn't like tea"), ("No longer eats meat", "Eats meat"), ("I never watch films", "Watches films"),
    ("Is not a vegetarian", "Is a vegetarian"), ("Cannot swim", "Can swim"),
    ("Currently lives in Porto", "Lives in Lisbon"), ("Lives in Spain", "Lives in Portugal"),
    ("Lives in Texas", "Lives in California"), ("Lives in Singapore", "Lives in London"),
  ]

  @Test(arguments: superseding) func `takes the place of one it contradicts`(new: String, live: String) {
    #expect(Contradiction.verdict(on: live, by: new) == .supersedes)
    #expect(Contradiction.verdict(on: new, by: live) == .supersedes)
  }

  static let unrelated = [
    // One may contain the other.
    ("Lives in Portugal", "Lives in Lisbon"), ("I live in the United States", "I live in Austin"),
    ("Lives in Texas", "Lives in Austin"), ("Lives in the USA", "Lives in Texas"),
    ("Lives in Europe", "Lives in Portugal"), ("My wife lives in Portugal", "My wife lives in Lisbon"),
    ("Lives in Portugal", "Lives in Lisbon, Portugal"),
    // What can be so of several.
    ("Likes coffee", "Likes tea"), ("Bob is a vegetarian", "Bob is a doctor"), ("Speaks German", "Speaks French"),
    ("Has a cat", "Has a dog"), ("Uses Kafka", "Uses Redis"), ("Note: second", "Note: first"),
    ("Hobby: chess", "Hobby: go"), ("To-do: buy eggs", "To-do: buy milk"),
    ("The person who works at Beta is Eve", "The person who works at Acme is Ana"),
    ("The deadline of the talk is Monday", "The deadline of the report is Friday"),
    ("The database is slow", "The database is PostgreSQL"),
    ("Prefers tea over milk", "Prefers tea over coffee"), ("Knows C++", "Knows C#"),
    // Of somebody, or something, else.
    ("Ana lives in Porto", "Lives in Lisbon"), ("Her name is Ann", "My name is Ana"),
    ("The staging database is MySQL", "The production database is PostgreSQL"),
    ("Does not like coffee", "Likes tea"), ("Bob does not like tea", "Ana likes tea"),
    ("Bob lives in Porto", "Ana lives in Lisbon"), ("My brother lives in Porto", "My brother lives in Lisbon"),
    ("A colleague works at Beta", "A colleague works at Acme"), ("The dog is called Rex", "The dog is called Bo"),
    ("My son is 5 years old", "My son is 7 years old"), ("My son's name is Tom", "My son's name is Tim"),
    // Descriptions, which are no values.
    ("The database is 40 GB", "The database is PostgreSQL"), ("The database is 40GB", "The database is PostgreSQL"),
    ("The city is 3 hours away", "The city is Lisbon"), ("The manager is German", "The manager is Ana"),
    ("The manager is Japanese", "The manager is Ana"), ("Works for 8 hours", "Works for Acme"),
    ("Works at night", "Works at Acme"), ("Works at 9:30", "Works at Acme"), ("Theme is ugly", "Theme is dark"),
    ("Favourite film is amazing", "Favourite film is Alien"),
    ("Favourite film is very good", "Favourite film is Alien"),
    ("status: waiting for a review", "status: done"), ("database: 40 GB", "database: PostgreSQL"),
    // Only more or less of the same.
    ("Lives in Lisbon with Ana", "Lives in Lisbon"), ("The database is PostgreSQL 15", "The database is PostgreSQL"),
    // Left open when, whether or how many.
    ("Works at Beta on weekends", "Works at Acme on weekdays"), ("Lives in Porto in summer", "Lives in Lisbon"),
    ("Might live in Porto", "Lives in Lisbon"), ("Sometimes works at Beta", "Works at Acme"),
    ("Is the deadline Monday?", "The deadline is Friday"), ("Works at Beta and Gamma", "Works at Acme"),
    ("Lives in Porto, works at Beta", "Lives in Lisbon"), ("Works for a startup", "Works for Acme"),
    ("Was in Porto", "Lives in Lisbon"), ("???", "!!!"),
  ]

  @Test(arguments: unrelated) func `leaves others alone`(new: String, live: String) {
    #expect(Contradiction.verdict(on: live, by: new) == .unrelated)
    #expect(Contradiction.verdict(on: new, by: live) == .unrelated)
  }

  static let switches = [
    "Switched from PostgreSQL to MySQL", "We migrated from PostgreSQL to MySQL in June.",
    "The project has moved from PostgreSQL to MySQL", "Replaced PostgreSQL with MySQL",
    "PostgreSQL was replaced by MySQL", "Now uses MySQL instead of PostgreSQL", "No longer uses PostgreSQL",
    "Switched from PostgreSQL to MySQL, and nobody noticed.",
  ]

  @Test(arguments: switches) func `that tells of a switch ends what stated the old thing`(new: String) {
    for live in [
      "The project uses PostgreSQL 14", "Uses PostgreSQL 14 on RDS", "The database is PostgreSQL 14",
      "database: PostgreSQL 14", "Switched from Oracle to PostgreSQL", "The application runs on PostgreSQL 14",
    ] {
      #expect(Contradiction.verdict(on: live, by: new) == .supersedes, "\(live)")
    }
  }

  // Decided: a switch speaks of the person, of the one who is named, or of the project at large. What is said of another
  // team or thing, and what only mentions the old one, stands.
  @Test(arguments: switches) func `that tells of a switch spares what only mentions the old thing`(new: String) {
    for live in [
      "The analytics team uses PostgreSQL", "Ana wrote a paper on PostgreSQL", "Likes PostgreSQL",
      "The staging database is PostgreSQL", "PostgreSQL is hard to tune", "Uses PostgreSQL and Redis",
      "Uses PostgreSQLite", "The backup of PostgreSQL runs nightly", "Uses MySQL",
    ] {
      #expect(Contradiction.verdict(on: live, by: new) == .unrelated, "\(live)")
    }
  }

  @Test func `that tells of a switch of somebody ends what is said of them`() {
    func verdict(_ live: String, _ new: String) -> Contradiction.Verdict { Contradiction.verdict(on: live, by: new) }
    #expect(verdict("Lives in Lisbon", "Moved from Lisbon to Porto") == .supersedes)
    #expect(verdict("Works at Acme", "I switched from Acme to Beta") == .supersedes)
    #expect(verdict("Ana lives in Lisbon", "Ana moved from Lisbon to Porto") == .supersedes)
    #expect(verdict("Ana lives in Lisbon", "Moved from Lisbon to Porto") == .unrelated)
    #expect(verdict("Lives in Lisbon", "The project moved from Lisbon to Porto") == .unrelated)
    #expect(verdict("The deadline is Friday", "The deadline was changed from Friday to Monday") == .supersedes)
    #expect(verdict("The meeting is Friday", "The deadline was changed from Friday to Monday") == .unrelated)
    #expect(verdict("The theme is Dark", "Changed the theme from dark to light") == .supersedes)
    #expect(verdict("Prefers dark", "Switched from dark to light") == .supersedes)
    let migrated = "Migrated the database from PostgreSQL 14 to MySQL 8"
    #expect(verdict("The database is PostgreSQL 14", migrated) == .supersedes)
    #expect(verdict("The project uses PostgreSQL", migrated) == .supersedes)
    #expect(verdict("The project uses PostgreSQL 13", migrated) == .unrelated)
    #expect(verdict("The application runs on PostgreSQL 14", migrated) == .unrelated)
    #expect(verdict("Uses PostgreSQL", "Switched from PostgreSQL 14 to PostgreSQL 15") == .unrelated)
  }

  static let limited = [
    "Switched from PostgreSQL to SQLite for the test suite", "Replaced PostgreSQL with SQLite in the unit tests",
    "Switched from PostgreSQL to SQLite on the staging server", "Now uses SQLite instead of PostgreSQL in tests",
    "Uses SQLite in tests instead of PostgreSQL", "Replaced PostgreSQL in the unit tests with SQLite",
    "Switched from PostgreSQL to SQLite last year for the tests", "No longer uses PostgreSQL for the tests",
  ]

  @Test(arguments: limited) func `that tells of a switch of limited scope ends nothing general`(new: String) {
    for live in ["The project uses PostgreSQL 14", "Uses PostgreSQL", "The database is PostgreSQL"] {
      #expect(Contradiction.verdict(on: live, by: new) == .unrelated, "\(live)")
    }
  }

  @Test(arguments: ["in June", "on Monday", "in early 2024", "on 5 June", "in the last sprint", "this week", ""])
  func `that tells when a switch was ends the old thing`(time: String) {
    #expect(Contradiction.verdict(on: "Uses Python", by: "Changed from Python to Rust " + time) == .supersedes)
    #expect(Contradiction.verdict(on: "Uses Python", by: "Changed from Python to Rust for the parser") == .unrelated)
  }

  @Test func `that only considers a switch ends nothing`() {
    for new in [
      "Considering to move, not yet switched from PostgreSQL to MySQL", "Would have switched from PostgreSQL to MySQL",
      "Has never switched from PostgreSQL to MySQL", "Switched from PostgreSQL to MySQL?",
      "If we switched from PostgreSQL to MySQL it would break",
    ] {
      #expect(Contradiction.verdict(on: "The project uses PostgreSQL 14", by: new) == .unrelated, "\(new)")
    }
  }

  @Test func `of any length or script is judged without harm`() {
    let long = String(repeating: "word is from to instead of ", count: 30_000)
    #expect(Contradiction.verdict(on: long, by: long + "more") == .unrelated)
    #expect(Contradiction.verdict(on: long, by: long) == .same)
    for text in [
      "", " ", ":", "is", "from to", "no longer", "switched from to", "a: ", "🙂", "名前は花子です", "ß", "İstanbul",
    ] {
      #expect(Contradiction.verdict(on: text, by: text) == .same, "\(text)")
      #expect(Contradiction.verdict(on: text, by: "Lives in Porto") == .unrelated, "\(text)")
      #expect(Contradiction.verdict(on: "Lives in Porto", by: text) == .unrelated, "\(text)")
    }
  }
}
