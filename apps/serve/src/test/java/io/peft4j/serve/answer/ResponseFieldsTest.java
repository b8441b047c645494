package io.peft4j.serve.answer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which fields of {@code /v1/responses} are taken, what its replies and events look like. */
class ResponseFieldsTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String TOOL = "{'type': 'function', 'name': 'ask', 'parameters': {'type': 'object', "
            + "'properties': {'n': {'enum': [1]}}, 'required': ['n'], 'additionalProperties': false}}";

    @TempDir
    private static Path folder;
    private static AnsweringServer server;

    @BeforeAll
    static void start() {
        server = new AnsweringServer(folder, builder -> builder);
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static HttpResponse<String> post(String path, String fields) throws IOException, InterruptedException {
        return server.post(path, "{'model': 'tiny', 'temperature': 0, " + fields + "}");
    }

    private static JsonNode response(String fields) throws IOException, InterruptedException {
        HttpResponse<String> reply = post("/responses", "'max_output_tokens': 40, " + fields);
        assertEquals(200, reply.statusCode(), reply.body());
        return JSON.readTree(reply.body());
    }

    /** What clients and frameworks send without asking for anything that changes the answer. */
    @ParameterizedTest
    @ValueSource(strings = {"'store': true", "'metadata': {'a': 'b'}", "'reasoning': {'effort': 'low'}",
        "'truncation': 'auto'", "'text': {'format': {'type': 'text'}, 'verbosity': 'low'}", "'service_tier': 'auto'",
        "'include': ['reasoning.encrypted_content']", "'previous_response_id': null", "'parallel_tool_calls': true",
        "'stream_options': null", "'background': false", "'prompt_cache_key': 'k'", "'safety_identifier': 'u'",
        "'max_tool_calls': 3", "'tools': []", "'tool_choice': 'auto'"})
    void aFieldThatChangesNothingIsTaken(String field) throws IOException, InterruptedException {
        assertEquals("incomplete", response("'input': 'Hi', " + field).path("status").asText());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            'previous_response_id': 'resp_1' | previous_response_id | unsupported_parameter
            'background': true | background | unsupported_parameter
            'conversation': 'conv_1' | conversation | unsupported_parameter
            'include': ['file_search_call.results'] | include | unsupported_parameter
            'messages': [] | messages | unknown_parameter
            'max_output_tokens': 0 | max_output_tokens | invalid_value
            'max_output_tokens': 100000 | max_output_tokens | context_length_exceeded
            'truncation': 'some' | truncation | invalid_value
            'text': {'format': {'type': 'xml'}} | text.format.type | invalid_value
            'text': {'format': {'type': 'json_schema', 'name': 'x'}} | text.format.schema | invalid_type
            'text': {'style': 'short'} | text.style | unknown_parameter
            'tools': [{'type': 'web_search'}] | tools[0].type | unsupported_parameter
            'tools': [{'type': 'function'}] | tools[0].name | invalid_type
            'tool_choice': 'required' | tool_choice | invalid_value
            'tool_choice': {'type': 'function', 'name': 'nobody'} | tool_choice | invalid_value
            'tool_choice': {'type': 'allowed_tools', 'tools': []} | tool_choice.mode | invalid_value
            """)
    void theFieldThatIsWrongIsNamed(String field, String param, String code) throws IOException, InterruptedException {
        requireError(post("/responses", "'input': 'Hi', " + field), param, code);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            7 | input | invalid_type
            [] | input | invalid_value
            [7] | input[0] | invalid_type
            [{'type': 'item_reference', 'id': 'msg_1'}] | input[0].type | unsupported_content
            [{'type': 'web_search_call'}] | input[0].type | unsupported_content
            [{'role': 'tool', 'content': 'a'}] | input[0].role | invalid_value
            [{'role': 'user', 'content': 7}] | input[0].content | invalid_type
            [{'role': 'user', 'content': [{'type': 'input_image'}]}] | input[0].content[0].type | unsupported_content
            [{'role': 'user', 'content': [{'type': 'input_text'}]}] | input[0].content[0].text | invalid_type
            [{'type': 'function_call', 'call_id': 'a', 'name': 'b'}] | input[0].arguments | invalid_type
            [{'type': 'function_call_output', 'call_id': 'a', 'output': 'b'}] | input[0].call_id | invalid_value
            """)
    void theItemThatIsWrongIsNamed(String input, String param, String code) throws IOException, InterruptedException {
        requireError(post("/responses", "'input': " + input), param, code);
    }

    private static void requireError(HttpResponse<String> reply, String param, String code) throws IOException {
        JsonNode error = JSON.readTree(reply.body()).path("error");
        assertEquals(400, reply.statusCode(), reply.body());
        assertEquals(param, error.path("param").asText(), reply.body());
        assertEquals(code, error.path("code").asText(), reply.body());
    }

    /** The prompt of items is that of the same messages. */
    @Test
    void itemsAreTheMessagesOfAChat() throws IOException, InterruptedException {
        String items = "'instructions': 'Be brief.', 'input': [{'role': 'user', 'content': [{'type': 'input_text', "
                + "'text': 'Ask'}, {'type': 'input_text', 'text': ' it.'}]}, {'type': 'reasoning', 'id': 'rs_1', "
                + "'summary': []}, {'type': 'message', 'id': 'msg_1', 'status': 'completed', 'role': 'assistant', "
                + "'content': [{'type': 'output_text', 'text': 'I do.', 'annotations': []}]}, {'type': "
                + "'function_call', 'id': 'fc_1', 'call_id': 'call_1', 'name': 'ask', 'arguments': '{}'}, {'type': "
                + "'function_call_output', 'call_id': 'call_1', 'output': '42'}], 'tools': [" + TOOL + "]";
        String messages = "'messages': [{'role': 'system', 'content': 'Be brief.'}, {'role': 'user', 'content': "
                + "'Ask it.'}, {'role': 'assistant', 'content': 'I do.', 'tool_calls': [{'id': 'call_1', 'type': "
                + "'function', 'function': {'name': 'ask', 'arguments': '{}'}}]}, {'role': 'tool', 'tool_call_id': "
                + "'call_1', 'content': '42'}], 'tools': [{'type': 'function', 'function': {'name': 'ask'}}]";
        JsonNode response = response(items);
        JsonNode chat = JSON.readTree(post("/chat/completions", "'max_tokens': 40, " + messages).body());
        assertEquals(chat.at("/usage/prompt_tokens"), response.at("/usage/input_tokens"));
        assertEquals(chat.at("/choices/0/message/content"), response.at("/output/0/content/0/text"));
        assertEquals(chat.at("/usage/total_tokens"), response.at("/usage/total_tokens"));
    }

    @Test
    void anAnswerThatIsCutBeforeItFollowsItsSchemaSaysSo() throws IOException, InterruptedException {
        String schema = "{'type': 'object', 'properties': {'days': {'type': 'integer'}}, 'required': ['days'], "
                + "'additionalProperties': false}";
        JsonNode cut = JSON.readTree(post("/responses", "'input': 'Hi', 'max_output_tokens': 2, 'text': {'format': "
                + "{'type': 'json_schema', 'name': 'x', 'schema': " + schema + "}}").body());
        assertEquals("incomplete", cut.path("status").asText());
        assertEquals("max_output_tokens", cut.at("/incomplete_details/reason").asText());
        assertEquals("incomplete", cut.at("/output/0/status").asText());
        JsonNode chat = JSON.readTree(post("/chat/completions", "'messages': [{'role': 'user', 'content': 'Hi'}], "
                + "'max_tokens': 2, 'response_format': {'type': 'json_schema', 'json_schema': {'name': 'x', 'schema': "
                + schema + "}}").body());
        assertEquals("length", chat.at("/choices/0/finish_reason").asText());
    }

    private static List<JsonNode> events(String fields) throws IOException, InterruptedException {
        HttpResponse<String> reply = post("/responses", "'stream': true, " + fields);
        assertEquals(200, reply.statusCode(), reply.body());
        List<JsonNode> events = new ArrayList<>();
        for (String event : reply.body().split("\n\n")) {
            String[] lines = event.split("\n");
            JsonNode data = JSON.readTree(lines[1].substring("data: ".length()));
            assertEquals("event: " + data.path("type").asText(), lines[0]);
            assertEquals(events.size(), data.path("sequence_number").asInt());
            events.add(data);
        }
        return events;
    }

    private static List<String> types(List<JsonNode> events) {
        return events.stream().map(event -> event.path("type").asText().substring("response.".length())).distinct()
                .toList();
    }

    @Test
    void aTextComesInEventsThatEndWithTheResponse() throws IOException, InterruptedException {
        List<JsonNode> events = events("'input': 'Hi', 'max_output_tokens': 5, 'top_logprobs': 2");
        assertEquals(List.of("created", "in_progress", "output_item.added", "content_part.added", "output_text.delta",
                "output_text.done", "content_part.done", "output_item.done", "incomplete"), types(events));
        JsonNode last = events.get(events.size() - 1).path("response");
        assertEquals(response("'input': 'Hi'").at("/output/0/content/0/text").asText().substring(0,
                last.at("/output/0/content/0/text").asText().length()), last.at("/output/0/content/0/text").asText());
        assertEquals(5, last.at("/output/0/content/0/logprobs").size());
        assertEquals(2, last.at("/output/0/content/0/logprobs/0/top_logprobs").size());
        assertEquals(events.get(0).at("/response/id"), last.path("id"));
        assertEquals(5, last.at("/usage/output_tokens").asInt());
    }

    @Test
    void aCallComesInEventsOfItsOwn() throws IOException, InterruptedException {
        List<JsonNode> events = events("'input': 'Hi', 'tools': [" + TOOL + "], 'tool_choice': {'type': 'function', "
                + "'name': 'ask'}");
        assertEquals(List.of("created", "in_progress", "output_item.added", "function_call_arguments.delta",
                "function_call_arguments.done", "output_item.done", "completed"), types(events));
        JsonNode call = events.get(events.size() - 1).at("/response/output/0");
        assertEquals("ask", call.path("name").asText());
        assertEquals("{\"n\":1}", call.path("arguments").asText());
        assertTrue(call.path("call_id").asText().startsWith("call_"), call.toString());
        assertEquals(call, events.get(events.size() - 2).path("item"));
    }

    /** What goes wrong before the first event has a status of its own. */
    @Test
    void aStreamThatCannotBeginIsAnError() throws IOException, InterruptedException {
        requireError(post("/responses", "'stream': true, 'input': 'Hi', 'tool_choice': 'required'"), "tool_choice",
                "invalid_value");
    }
}
