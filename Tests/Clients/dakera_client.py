"""The Dakera SDK for Python against a served store: dakera_client.py URL KEY, the key of an administrator.

One story, told by the synchronous client and again by the asynchronous one, each with agents of its own. Every answer is
held against what the SDK makes of it. Prints a line for each part that went well, and fails at the first that did not.
"""

import asyncio
import inspect
import json
import sys
import threading
import time
import urllib.request

from dakera import AsyncDakeraClient, DakeraClient
from dakera.exceptions import AuthorizationError, ConflictError, NotFoundError, ValidationError
from dakera.models import (
    BatchForgetRequest,
    BatchMemoryFilter,
    BatchRecallRequest,
    BatchStoreMemoryItem,
    BatchStoreMemoryRequest,
    FeedbackSignal,
    KeyInfo,
    RotateKeyResponse,
)
from dakera.session import AsyncChatMemorySession, ChatMemorySession

URL, KEY = sys.argv[1:]


class Client:
    """Either client, with every method awaited."""

    def __init__(self, client):
        self.client = client

    def __getattr__(self, name):
        async def call(*arguments, **named):
            result = getattr(self.client, name)(*arguments, **named)
            return await result if inspect.isawaitable(result) else result

        return call


async def refused(error, awaitable):
    try:
        await awaitable
    except error as problem:
        return problem
    raise AssertionError(f"no {error.__name__}")


async def server(client):
    assert (await client.health())["status"] == "healthy"
    assert await client.is_ready()
    await client.health_ready()
    await client.health_live()
    await client.wait_until_ready(timeout=5)
    capabilities = await client.capabilities()
    assert capabilities.capabilities_version == 2 and capabilities.api_versions == ["v1"]
    assert capabilities.sessions.touch and capabilities.naming.agent_id_max_bytes == 241
    me = await client.whoami()
    assert me.unrestricted and me.namespaces is None and me.scope == "admin"


async def sessions(client, agent):
    session = await client.start_session(agent, metadata={"from": {"deep": [1, None]}}, idle_timeout_secs=60)
    assert session["id"] == session["session_id"] and session["agent_id"] == agent
    assert session["metadata"] == {"from": {"deep": [1, None]}} and session["idle_timeout_secs"] == 60
    assert isinstance(session["started_at"], int) and session["ended_at"] is None
    stored = await client.store_memory(
        agent, "Asked about invoices.", session_id=session["id"], importance=0.7, tags=["b", "a"])
    assert stored["session_state"] == "active" and stored["session_id"] == session["id"]
    touched = await client.touch_session(session["id"])
    assert touched.session_state == "active" and touched.idle_deadline_at >= session["started_at"] + 60
    found = await client.session_memories(session["id"], limit=10)
    memories = found if isinstance(found, list) else found["memories"]
    assert [memory["id"] for memory in memories] == [stored["id"]]
    short = await client.session_memories(session["id"], content_preview_chars=5)
    short = (short if isinstance(short, list) else short["memories"])[0]
    assert short["content"] == "Asked" and short["content_truncated"] and short["content_len"] == 21
    assert (await client.get_session(session["id"]))["memory_count"] == 1
    assert [one["id"] for one in await client.list_sessions(agent_id=agent, active_only=True)] == [session["id"]]
    ended = await client.end_session(session["id"], summary="About invoices.")
    assert ended["session"]["summary"] == "About invoices." and ended["memory_count"] == 1
    assert ended["session"]["ended_reason"] == "client"
    again = await client.end_session(session["id"], summary="Other.")
    assert again["session"] == ended["session"]
    assert (await client.touch_session(session["id"])).session_state == "ended"
    late = await client.store_memory(agent, "Came too late.", session_id=session["id"])
    assert late["session_state"] == "ended"
    assert await client.list_sessions(agent_id=agent, active_only=True) == []
    second = await client.start_session(agent)
    listed = await client.agent_sessions(agent, limit=5)
    assert {one["id"] for one in listed} == {session["id"], second["id"]}
    await client.end_session(second["id"], auto_summarize=False)
    error = await refused(NotFoundError, client.get_session("nobody:0"))
    assert error.resource == "session", error.resource


async def memories(client, agent):
    stored = await client.store_memory(
        agent, "Prefers short answers \u2728", memory_type="semantic", importance=0, metadata={"a": {"b": [1.5]}},
        tags=["style", "answers"], ttl_seconds=604800)
    assert stored["content"] == "Prefers short answers \u2728" and stored["importance"] == 0
    assert stored["tags"] == ["style", "answers"] and stored["metadata"] == {"a": {"b": [1.5]}}
    assert stored["memory_type"] == "semantic" and stored["expires_at"] == stored["created_at"] + 604800
    assert await client.get_memory(agent, stored["id"]) == {
        name: value for name, value in stored.items() if name != "session_state"}
    assert (await client.get_memory(None, stored["id"]))["agent_id"] == agent
    changed = await client.update_memory(
        agent, stored["id"], content="Prefers long answers", importance=0.9, tags=[], memory_type="procedural")
    assert changed["content"] == "Prefers long answers" and changed["tags"] == []
    assert changed["memory_type"] == "procedural" and changed["metadata"] == {"a": {"b": [1.5]}}
    await client.update_importance(agent, [stored["id"]], 0.4)
    assert (await client.patch_memory_importance(stored["id"], agent, 0.6)).importance == 0.6
    upvoted = await client.feedback_memory(stored["id"], agent, FeedbackSignal.UPVOTE)
    assert upvoted.memory_id == stored["id"] and upvoted.new_importance == 0.69
    assert (await client.feedback_memory(stored["id"], agent, "flag")).new_importance == 0.69
    assert (await client.memory_feedback(agent, stored["id"], "negative"))["new_importance"] == 0.5865
    history = await client.get_memory_feedback_history(stored["id"], agent)
    assert [entry.signal.value for entry in history.entries] == ["upvote", "flag", "downvote"]
    assert [entry.old_importance for entry in history.entries] == [0.6, 0.69, 0.69]
    assert (await client.forget(agent, stored["id"]))["deleted_count"] == 1
    assert (await client.forget(agent, stored["id"]))["deleted_count"] == 0
    error = await refused(NotFoundError, client.get_memory(agent, stored["id"]))
    assert error.resource == "memory"
    await refused(ValidationError, client.store_memory(agent, ""))
    await refused(ValidationError, client.store_memory("_dakera_x", "Whose?"))
    timed = await client.store_memory(agent, "Moved in May 2023.", event_time=1684000000, valid_from=1684000000)
    assert timed["metadata"] == {"valid_from": 1684000000} and timed["created_at"] > 1684000000


async def recall(client, agent):
    for content, importance in [
        ("The user's name is Alice.", 0.9), ("Alice works on a search engine in Rust.", 0.8),
        ("Meetings are on Thursdays.", 0.3),
    ]:
        await client.store_memory(agent, content, importance=importance, tags=[content.split()[0].lower()])
    answer = await client.recall(agent, "Which search engine does Alice work on?", top_k=3, neighborhood_mode="separate")
    assert len(answer.memories) == 3 and answer.memories[0].content == "Alice works on a search engine in Rust."
    scores = [memory.score for memory in answer.memories]
    assert scores == sorted(scores, reverse=True)
    assert [memory.id for memory in answer.ranked] == [memory.id for memory in answer.memories]
    first = await client.recall(agent, "Which search engine does Alice work on?", top_k=1)
    assert [memory.id for memory in first.memories] == [answer.memories[0].id]
    important = await client.recall(agent, "Alice", min_importance=0.8)
    assert {memory.importance for memory in important.memories} == {0.9, 0.8}
    tagged = await client.recall(agent, "Alice", tags=["meetings", "nothing"])
    assert [memory.content for memory in tagged.memories] == ["Meetings are on Thursdays."]
    assert (await client.recall(agent, "Alice", until="2020-01-01")).memories == []
    assert len((await client.recall(agent, "Alice", since="2020-01-01T00:00:00")).memories) == 3
    assert (await client.recall("nobody-" + agent, "Alice")).memories == []
    found = await client.search_memories(agent, "search engine")
    found = found if isinstance(found, list) else found["memories"]
    assert found[0]["content"].endswith("Rust.") and found[0]["score"] > 0
    woken = await client.wake_up(agent, top_n=2, min_importance=0.5)
    assert woken.agent_id == agent and woken.total_available == 2
    assert [memory.content for memory in woken.memories] == [
        "The user's name is Alice.", "Alice works on a search engine in Rust."]


async def batches(client, agent):
    items = [
        BatchStoreMemoryItem(content=f"Note number {number}.", importance=number / 10, tags=["note", f"n{number}"])
        for number in range(5)
    ]
    items[0].id = "note-0"
    answer = await client.store_memories_batch(BatchStoreMemoryRequest(agent_id=agent, memories=items))
    assert answer.stored_count == 5
    assert [stored.content for stored in answer.stored] == [item.content for item in items]
    assert answer.stored[0].id == "note-0" and answer.stored[1].tags == ["note", "n1"]
    taken = BatchStoreMemoryItem(content="Something else.", id="note-0")
    await refused(
        ConflictError, client.store_memories_batch(BatchStoreMemoryRequest(agent_id=agent, memories=[taken])))
    found = await client.batch_recall(
        BatchRecallRequest(agent_id=agent, filter=BatchMemoryFilter(tags=["note"], min_importance=0.2), limit=2))
    assert len(found.memories) == 2 and found.total == 5 and found.filtered == 3 and found.truncated
    everything = await client.batch_recall(BatchRecallRequest(agent_id=agent))
    assert everything.filtered == 5 and not everything.truncated
    await refused(ValidationError, client.batch_forget(BatchForgetRequest(agent_id=agent, filter=BatchMemoryFilter())))
    gone = await client.batch_forget(
        BatchForgetRequest(agent_id=agent, filter=BatchMemoryFilter(max_importance=0.1)))
    assert gone.deleted_count == 2
    kept = [stored.id for stored in answer.stored[2:4]]
    merged = await client.consolidate(agent, memory_ids=kept)
    assert merged["memories_removed"] == 2 and set(merged["source_memory_ids"]) == set(kept)
    assert merged["consolidated_memory"]["content"] == "Note number 2.\nNote number 3."
    await refused(ValidationError, client.consolidate(agent, memory_ids=kept[:1]))
    await client.store_memory(agent, "the quick brown fox jumps over the lazy dog every morning")
    await client.store_memory(agent, "the quick brown fox jumps over the lazy dog each morning", importance=0.8)
    dry = await client.deduplicate(agent, threshold=0.7, dry_run=True)
    assert dry["duplicates_found"] == 1 and dry["removed_count"] == 0
    done = await client.deduplicate(agent, threshold=0.7)
    assert done["removed_count"] == 1 and done["groups"] == dry["groups"]


async def agents(client, agent):
    made = await client.create_agent(agent)
    assert made.created and made.namespace == f"_dakera_agent_{agent}"
    assert not (await client.create_agent(agent)).created
    for content in ["First.", "Second.", "Third."]:
        await client.store_memory(agent, content)
    listed = {row["agent_id"]: row for row in await client.list_agents()}
    assert listed[agent] == {"agent_id": agent, "memory_count": 3, "session_count": 0, "active_sessions": 0}
    page = await client.agent_memories(agent, memory_type="episodic", limit=2)
    assert [memory["content"] for memory in page] == ["Third.", "Second."]
    rest = await client.agent_memories(agent, limit=2, offset=2)
    assert [memory["content"] for memory in rest] == ["First."]
    stats = await client.agent_stats(agent)
    assert stats["total_memories"] == 3 and stats["memories_by_type"] == {"episodic": 3}
    assert stats["avg_importance"] == 0.5
    spaces = {space.name: space.kind for space in await client.list_namespaces()}
    assert spaces[f"_dakera_agent_{agent}"] == "agent"
    assert (await client.get_namespace(f"_dakera_agent_{agent}")).vector_count == 3
    await refused(NotFoundError, client.get_namespace("_dakera_agent_nobody"))


async def files(client, agent):
    await client.store_memory(agent, 'He said "yes, please",\nand left.', importance=0.25, tags=["a,b", "c"])
    await client.store_memory(agent, "Plain.", metadata={"k": {"n": [1]}})
    for form in ["jsonl", "csv", "mem0", "zep"]:
        export = await client.export_memories(format=form, agent_id=agent)
        assert export.count == 2 and export.skipped == 0
        copy = f"{agent}-{form}"
        taken = await client.import_memories(export.raw, format=form, agent_id=copy)
        assert taken.imported_count == 2 and taken.skipped_count == 0 and taken.errors == [], taken
        assert taken.status == "done" and taken.job_id
        copied = await client.agent_memories(copy)
        original = await client.agent_memories(agent)
        for name in ["id", "content", "metadata"] + (["importance", "tags"] if form in ["jsonl", "csv"] else []):
            assert [memory[name] for memory in copied] == [memory[name] for memory in original], (form, name)
        again = await client.import_memories(export.raw, format=form, agent_id=copy)
        assert again.imported_count == 0 and again.skipped_count == 2
    listed = await client.import_memories([{"content": "One."}, {"content": ""}], agent_id=agent)
    assert listed.imported_count == 1 and listed.skipped_count == 1 and len(listed.errors) == 1


async def audit(client, agent):
    memory = await client.store_memory(agent, "To be forgotten.")
    await client.update_importance(agent, [memory["id"]], 0.9)
    await client.forget(agent, memory["id"])
    page = await client.list_audit_events(agent_id=agent)
    assert [event.event_type for event in page.events] == ["forgotten", "importance_updated", "stored"]
    assert all(event.memory_id == memory["id"] and event.timestamp > 10**12 for event in page.events)
    first = await client.list_audit_events(agent_id=agent, limit=2)
    second = await client.list_audit_events(agent_id=agent, limit=2, cursor=first.cursor)
    assert [event.id for event in first.events + second.events] == [event.id for event in page.events]
    only = await client.list_audit_events(agent_id=agent, event_type="stored", from_ts=0)
    assert [event.event_type for event in only.events] == ["stored"]
    assert (await client.export_audit(format="csv", agent_id=agent)).count == 3
    assert (await client.export_audit(format="jsonl", agent_id=agent)).count == 3


def keys():
    with DakeraClient(URL, api_key=KEY) as client:
        made = client.create_key("bob's own", scope="write", namespaces=["_dakera_agent_bob"], expires_in_days=2)
        assert made["key"].startswith("dk-") and made["namespaces"] == ["_dakera_agent_bob"]
        found = KeyInfo.from_dict(client.get_key(made["key_id"]))
        assert found.scope == "write" and found.active and found.expires_at == found.created_at + 2 * 86_400
        assert made["key_id"] in [key["key_id"] for key in client.list_keys()["keys"]]
        assert client.update_key(made["key_id"], name="bob's phone").name == "bob's phone"
        with DakeraClient(URL, api_key=made["key"]) as bob:
            me = bob.whoami()
            assert me.namespaces == ["_dakera_agent_bob"] and not me.unrestricted and me.scope == "write"
            stored = bob.store_memory("bob", "Walks to work.")
            assert bob.recall("bob", "work").memories[0].id == stored["id"]
            session = bob.start_session("bob")
            assert [one["id"] for one in bob.list_sessions()] == [session["id"]]
            assert [row["agent_id"] for row in bob.list_agents()] == ["bob"]
            client.store_memory("ben", "Cycles to work.")
            assert bob.recall("ben", "work").memories == [] and bob.agent_memories("ben") == []
            for call in [
                lambda: bob.store_memory("ben", "Mine now."), lambda: bob.start_session("ben"),
                lambda: bob.agent_stats("ben"),
            ]:
                try:
                    call()
                    raise AssertionError("another's memory")
                except NotFoundError:
                    pass
            try:
                bob.list_keys()
                raise AssertionError("keys without the scope")
            except AuthorizationError:
                pass
            assert client.update_key(made["key_id"], namespaces=["_dakera_agent_b*"]).namespaces == ["_dakera_agent_b*"]
            assert bob.recall("ben", "work").memories[0].content == "Cycles to work."
            assert client.update_key(made["key_id"], all_namespaces=True).namespaces is None
            assert bob.whoami().unrestricted
        rotated = RotateKeyResponse.from_dict(client.rotate_key(made["key_id"], grace_secs=60))
        assert rotated.new_key.startswith("dk-") and rotated.new_key != made["key"]
        assert rotated.old_key_expires_at
        assert client.delete_key(made["key_id"])["success"]
        assert made["key_id"] not in [key["key_id"] for key in client.list_keys()["keys"]]
        assert not KeyInfo.from_dict(client.get_key(made["key_id"])).active
        try:
            client.update_key(made["key_id"], name="gone")
            raise AssertionError("a key that was revoked")
        except ConflictError:
            pass


def live(told):
    """The stream of events, in a thread of its own, until a memory was forgotten."""
    with DakeraClient(URL, api_key=KEY) as client:
        for event in client.stream_memory_events(timeout=60):
            told.append(event)
            if event.event_type == "forgotten" and event.agent_id == "live":
                return


def stream():
    told = []
    thread = threading.Thread(target=live, args=[told], daemon=True)
    thread.start()
    deadline = time.monotonic() + 30
    while not told and time.monotonic() < deadline:
        time.sleep(0.01)
    with DakeraClient(URL, api_key=KEY) as client:
        session = client.start_session("live")
        memory = client.store_memory("live", "Heard at once.", session_id=session["id"], tags=["x"], importance=0.5)
        client.forget("live", memory["id"])
    thread.join(30)
    assert [event.event_type for event in told] == ["connected", "session_started", "stored", "forgotten"], told
    assert told[2].content == "Heard at once." and told[2].tags == ["x"] and told[2].memory_id == memory["id"]


def tutorials():
    """What the tutorials ask without the SDK."""

    def ask(method, path, body=None):
        request = urllib.request.Request(
            URL + path, method=method, data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {KEY}"})
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    ask("POST", "/v1/memory/store", {"namespace": "tut", "content": "Likes tea.", "metadata": {"importance": 0.9}})
    got = ask("GET", "/v1/memory/recall?agent_id=tut&query=tea&top_k=3&min_importance=0.9")
    assert got["memories"][0]["content"] == got["results"][0]["content"] == "Likes tea."
    assert got["memories"][0]["importance"] == 0.9
    both = ask(
        "POST", "/v1/memories/recall/batch",
        {"queries": [{"agent_id": "tut", "query": "tea", "top_k": 2}, {"agent_id": "tut", "query": "drinks"}]})
    assert [answer["query"] for answer in both["results"]] == ["tea", "drinks"] and len(both["memories"]) == 1


def chat():
    with DakeraClient(URL, api_key=KEY) as client, ChatMemorySession.create(client, "chat") as session:
        session.store("user", "My name is Alice and I like Python.")
        session.store("user", "ok")
        session.store("assistant", "ok")
        found = session.recall("What does Alice like?")
        assert found[0].content == "My name is Alice and I like Python." and len(found) == 3
        assert session.touch().session_state == "active"
    with DakeraClient(URL, api_key=KEY) as client:
        assert client.get_session(session.session_id)["ended_reason"] == "client"


async def async_chat():
    async with AsyncDakeraClient(URL, api_key=KEY) as client:
        async with await AsyncChatMemorySession.create(client, "async-chat") as session:
            await session.store("user", "I moved to Porto.")
            assert (await session.recall("Where do I live?"))[0].content == "I moved to Porto."


PARTS = [sessions, memories, recall, batches, agents, files, audit]


async def story(client, name):
    await server(client)
    for part in PARTS:
        await part(client, f"{name}-{part.__name__}")
    print(name, flush=True)


async def asynchronous():
    async with AsyncDakeraClient(URL, api_key=KEY) as client:
        await story(Client(client), "async")
    await async_chat()


def main():
    with DakeraClient(URL, api_key=KEY) as client:
        asyncio.run(story(Client(client), "sync"))
    asyncio.run(asynchronous())
    chat()
    print("chat", flush=True)
    stream()
    print("stream", flush=True)
    tutorials()
    print("tutorials", flush=True)
    keys()
    print("keys", flush=True)


main()
