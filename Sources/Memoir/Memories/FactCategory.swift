// The categories of facts that Memoir itself knows. Any other is the application's own.

/// Categories with a meaning to Memoir. They are plain texts: an application adds its own by using them.
public enum FactCategory {
  /// Of a memory for which none was said.
  public static let general = "general"
  /// Something to be done: a live one is an open task.
  public static let task = "task"
  /// What was decided.
  public static let decision = "decision"
  /// What must be kept to.
  public static let constraint = "constraint"
  /// What the person likes to be done for them, where it is no preference with a key.
  public static let preference = "preference"
  /// What is done and over.
  public static let completion = "completion"
  /// What the person likes to deal with; part of the profile.
  public static let interest = "interest"
  /// What the person wants to reach; part of the profile.
  public static let goal = "goal"

  /// What holds until it is done, revised or ended: contexts show it even after it has faded.
  static let lasting: Set = [task, decision, constraint]

  /// All of them.
  public static let known = [general, task, decision, constraint, preference, completion, interest, goal]
}

extension StateAt {
  /// The open tasks at that point: live facts of the category `task`, in the order they were learned in.
  public var openTasks: [Fact] { facts.filter { $0.category == FactCategory.task } }
}
