"""The MCP SDK for Python against Memoir: mcp_client.py stdio MEMOIR STORE, or mcp_client.py http URL.

Every result of a tool is held against the tool's own output schema by the SDK. Prints a line for each part that went
well, and fails at the first that did not.
"""

import asyncio
import json
import sys
import urllib.parse

from mcp import Client, StdioServerParameters
from mcp.shared.exceptions import MCPError
from mcp_types import PromptReference

TRANSPORT, *PLACE = sys.argv[1:]
TOOLS = {
    "remember", "recall", "forget", "revise", "context", "state", "changes", "history", "start_session",
    "end_session", "record_episode", "report",
}


def server(user=None):
    if TRANSPORT == "http":
        return PLACE[0] + ("?user=" + urllib.parse.quote(user) if user else "")
    memoir, store = PLACE
    return StdioServerParameters(command=memoir, args=["--store", store, "mcp"] + (["--user", user] if user else []))


def text(result):
    assert not result.is_error, result
    assert len(result.content) == 1
    return result.content[0].text


async def one_person(mode):
    """All tools, resources and the prompt, for a person who is fixed."""
    user = f"ana {mode}"
    async with Client(server(user), mode=mode, read_timeout_seconds=60) as client:
        assert client.protocol_version == "2025-11-25", client.protocol_version
        assert client.server_info.name == "memoir"
        assert "remember" in client.instructions
        tools = (await client.list_tools()).tools
        assert {tool.name for tool in tools} == TOOLS
        assert all("user" not in tool.input_schema["properties"] for tool in tools)

        async def call(tool, **arguments):
            return await client.call_tool(tool, arguments)

        first = await call("remember", content="Lives in Lisbon", category="home", fact_id="home-1")
        assert first.structured_content["outcome"] == "stored"
        second = await call("remember", content="Lives in Porto", category="home", tags=["city"])
        assert second.structured_content["superseded"] == ["home-1"]
        porto = second.structured_content["fact_id"]
        assert "Lives in Porto" in text(await call("recall", query="Where do they live?"))
        assert "Lives in Lisbon" in text(await call("recall", query="Where do they live?", as_of="v1"))
        text(await call("remember", content="Is on the train today", ttl=3600, metadata={"source": "chat"}))
        await call("revise", fact_id=porto, importance=0.9)
        assert "Lives in Porto" in text(await call("context", query="Where?", budget=500))
        assert "Lives in Porto" in text(await call("state"))
        assert "Lives in Lisbon" in text(await call("state", as_of="v1"))
        assert "superseded by" in text(await call("changes", **{"from": "v1"}))
        assert "held no more" in text(await call("history", item="fact:home-1"))
        assert "Now: " in text(await call("history", item=porto))

        started = await call("start_session", first_message="I am planning a journey.", metadata={"app": "test"})
        session = started.structured_content["session"]["session"]
        messages = [
            {"role": "user", "content": "I prefer trains over planes. I work at Acme as an engineer."},
            {"role": "assistant", "content": "Noted."},
        ]
        ended = await call("end_session", session=session, messages=messages)
        assert ended.structured_content["messages_recorded"] == 2
        assert "Acme" in text(ended)
        again = await call("end_session", session=session, messages=messages)
        assert again.structured_content["had_ended"] is True
        text(await call("recall", query="trains", kinds=["message", "summary"], top_k=3))
        await call("record_episode", task="Book a train", actions=["Looked"], outcomes=["Found"], success=True)
        assert "Book a train" in text(await call("recall", query="book a train", kinds=["episode"]))
        assert "export" in text(await call("report"))
        assert "Forgotten" in text(await call("forget", fact_id=porto, reason="asked for"))

        refused = await call("recall", query="x", top_k=0)
        assert refused.is_error and "top_k" in refused.content[0].text
        refused = await call("remember", content="x", user="bob")
        assert refused.is_error and "user" in refused.content[0].text
        try:
            await call("erase")
            raise AssertionError("there is no such tool")
        except MCPError as error:
            assert error.code == -32602, error

        resources = (await client.list_resources()).resources
        assert len(resources) == 2
        for resource in resources:
            contents = (await client.read_resource(str(resource.uri))).contents
            assert json.loads(contents[0].text)["user"] == user
        assert (await client.list_resource_templates()).resource_templates == []
        prompts = (await client.list_prompts()).prompts
        assert [prompt.name for prompt in prompts] == ["begin_session"]
        prompt = await client.get_prompt("begin_session", {"first_message": "Which train?"})
        assert "Which train?" in prompt.messages[0].content.text
        await client.send_ping()
        await client.set_logging_level("info")


async def many_people():
    """Users as arguments; calls side by side; two clients on one store."""
    async with Client(server()) as one, Client(server()) as other:
        templates = (await one.list_resource_templates()).resource_templates
        assert {template.uri_template for template in templates} == {
            "memoir://users/{user}/state", "memoir://users/{user}/timeline",
        }

        async def remember(client, name, number):
            arguments = {"user": "bob", "content": f"Fact {name}{number} stands alone", "fact_id": f"{name}{number}"}
            text(await client.call_tool("remember", arguments))

        await asyncio.gather(
            *(remember(one, "a", number) for number in range(30)),
            *(remember(other, "b", number) for number in range(30)))
        for client in (one, other):
            state = await client.call_tool("state", {"user": "bob"})
            assert len(state.structured_content["facts"]) == 60
        completed = await one.complete(
            PromptReference(type="ref/prompt", name="begin_session"), {"name": "user", "value": "bo"})
        assert completed.completion.values == ["bob"]


async def main():
    for mode in ("auto", "legacy"):
        await one_person(mode)
        print("one person,", mode)
    await many_people()
    print("many people")


asyncio.run(main())
