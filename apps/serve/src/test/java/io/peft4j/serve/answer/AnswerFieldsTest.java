package io.peft4j.serve.answer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
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

/** Which fields of a request are taken, and what those are told who send others. */
class AnswerFieldsTest {
    private static final HttpClient CLIENT = HttpClient.newHttpClient();

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
        return server.post(path, "{'model': 'tiny', 'max_tokens': 2, 'temperature': 0, " + fields + "}");
    }

    private static HttpResponse<String> chat(String more) throws IOException, InterruptedException {
        return post("/chat/completions", "'messages': [{'role': 'user', 'content': 'Hi'}]" + more);
    }

    private static void requireError(HttpResponse<String> reply, String param, String code) throws IOException {
        JsonNode error = new ObjectMapper().readTree(reply.body()).path("error");
        assertEquals(400, reply.statusCode(), reply.body());
        assertEquals(param, error.path("param").asText(), reply.body());
        assertEquals(code, error.path("code").asText(), reply.body());
    }

    /** Clients that write out all defaults ask for nothing by these. */
    @ParameterizedTest
    @ValueSource(strings = {"'modalities': ['text']", "'logit_bias': {}", "'functions': []", "'store': true",
        "'verbosity': 'low'", "'stream_options': null", "'prediction': null", "'reasoning_effort': 'low'",
        "'metadata': {'a': 'b'}", "'user': 'u'", "'service_tier': 'auto'", "'safety_identifier': 'u'",
        "'prompt_cache_key': 'k'", "'prompt_cache_retention': '24h'", "'parallel_tool_calls': false"})
    void aValueThatAsksForNothingIsTaken(String field) throws IOException, InterruptedException {
        HttpResponse<String> reply = chat(", " + field);
        assertEquals(200, reply.statusCode(), reply.body());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            'modalities': ['text', 'audio'] | modalities | unsupported_parameter
            'logit_bias': {'5': 101} | logit_bias.5 | invalid_value
            'logit_bias': {'five': 1} | logit_bias | invalid_value
            'logit_bias': {'123456789': 1} | logit_bias | invalid_value
            'logit_bias': 7 | logit_bias | invalid_type
            'moderation': {'model': 'm'} | moderation | unsupported_parameter
            'temperatur': 1 | temperatur | unknown_parameter
            'n': 100 | n | invalid_value
            'stream_options': {'include_usage': true} | stream_options | invalid_value
            'stream': true, 'stream_options': {'include_usage': 1} | stream_options.include_usage | invalid_type
            'stream': true, 'stream_options': {'usage': true} | stream_options.usage | unknown_parameter
            """)
    void theFieldOfAChatThatIsWrongIsNamed(String field, String param, String code) throws IOException,
            InterruptedException {
        requireError(chat(", " + field), param, code);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            {'role': 'user'} | content | missing_required_parameter
            {'role': 'system', 'content': null} | content | missing_required_parameter
            {'role': 'assistant', 'content': null} | content | missing_required_parameter
            {'role': 'user', 'content': 7} | content | invalid_type
            {'role': 'user', 'content': ['Hi']} | content[0] | invalid_type
            {'role': 'user', 'content': [{'type': 'text'}]} | content[0].text | invalid_type
            {'role': 'user', 'content': [{'type': 'text', 'text': 7}]} | content[0].text | invalid_type
            {'role': 'user', 'content': [{'type': 'image_url'}]} | content[0].type | unsupported_content
            {'role': 'assistant', 'tool_calls': 7} | tool_calls | invalid_type
            {'role': 'assistant', 'tool_calls': [{'id': 'a'}]} | tool_calls[0].function | invalid_type
            {'role': 'assistant', 'tool_calls': [{'function': {}}]} | tool_calls[0].function.name | invalid_type
            """)
    void thePartOfAMessageThatIsWrongIsNamed(String message, String param, String code) throws IOException,
            InterruptedException {
        requireError(post("/chat/completions", "'messages': [" + message + "]"), "messages[0]." + param, code);
    }

    private static String tool(String name, String more) {
        return "{'type': 'function', 'function': {'name': '" + name + "'" + more + "}}";
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            'type': 'custom' | tool_choice.type
            'type': 'function', 'function': {'name': 'nobody'} | tool_choice
            'type': 'allowed_tools', 'allowed_tools': {'tools': []} | tool_choice.allowed_tools.mode
            'type': 'allowed_tools', 'allowed_tools': {'mode': 'required', 'tools': []} | tool_choice
            """)
    void aChoiceOfToolsThatIsWrongIsNamed(String choice, String param) throws IOException, InterruptedException {
        requireError(chat(", 'tools': [" + tool("ask", "") + "], 'tool_choice': {" + choice + "}"), param,
                "invalid_value");
    }

    @Test
    void parametersThatAreNoSchemaAreNamed() throws IOException, InterruptedException {
        requireError(chat(", 'tools': [" + tool("ask", ", 'parameters': 7") + "]"), "tools[0].function.parameters",
                "invalid_type");
    }

    @Test
    void biasMakesATokenComeOrStayAway() throws IOException, InterruptedException {
        ObjectMapper mapper = new ObjectMapper();
        String prompt = "'prompt': [5, 6, 7], 'logprobs': 0";
        String token = mapper.readTree(post("/completions", prompt + ", 'logit_bias': {'9': 100}").body())
                .at("/choices/0/logprobs/tokens/1").asText();
        String usual = mapper.readTree(post("/completions", prompt).body()).at("/choices/0/text").asText();
        String banned = mapper.readTree(post("/completions", prompt + ", 'logit_bias': {'9': 100, '10': 90.5}, "
                + "'repetition_penalty': 1").body()).at("/choices/0/text").asText();
        assertEquals(token.repeat(2), banned);
        assertFalse(usual.contains(token), usual);
    }

    /** A function without parameters has none to write. */
    @Test
    void oneOfTheAllowedToolsIsCalled() throws IOException, InterruptedException {
        String json = "'messages': [{'role': 'user', 'content': 'Hi'}], 'max_completion_tokens': 100, 'tools': ["
                + tool("ask", "") + ", " + tool("answer", "") + "], 'tool_choice': {'type': 'allowed_tools', "
                + "'allowed_tools': {'mode': 'required', 'tools': [" + tool("answer", "") + "]}}";
        JsonNode choice = new ObjectMapper().readTree(post("/chat/completions", json).body()).at("/choices/0");
        assertEquals("tool_calls", choice.path("finish_reason").asText(), choice.toString());
        assertEquals("answer", choice.at("/message/tool_calls/0/function/name").asText());
        assertEquals("{}", choice.at("/message/tool_calls/0/function/arguments").asText());
    }

    @Test
    void anAnswerThatIsCutBeforeItFollowsItsFormEndedByItsLength() throws IOException, InterruptedException {
        String form = ", 'response_format': {'type': 'json_schema', 'json_schema': {'name': 'leave', 'schema': "
                + "{'type': 'object', 'properties': {'paid': {'type': 'boolean'}}, 'required': ['paid']}}}";
        JsonNode choice = new ObjectMapper().readTree(chat(form).body()).at("/choices/0");
        assertEquals("length", choice.path("finish_reason").asText(), choice.toString());
        String streamed = chat(form + ", 'stream': true").body();
        assertTrue(streamed.contains("\"finish_reason\":\"length\""), streamed);
    }

    @Test
    void partsOfAMessageAreOneText() throws IOException, InterruptedException {
        String refusal = "{'role': 'user', 'content': 'Hi'}, {'role': 'assistant', 'content': %s}, "
                + "{'role': 'user', 'content': 'Why?'}";
        List<Integer> tokens = new ArrayList<>();
        for (String content : List.of("'I will not.'", "[{'type': 'text', 'text': 'I will'}, {'type': 'refusal', "
                + "'refusal': ' not.'}]")) {
            HttpResponse<String> reply = post("/chat/completions", "'messages': [" + refusal.formatted(content) + "]");
            tokens.add(new ObjectMapper().readTree(reply.body()).at("/usage/prompt_tokens").asInt());
        }
        assertEquals(tokens.get(0), tokens.get(1));
    }

    /** Tokenizers take some millions of characters. */
    @Test
    void aTextThatNoTokenizerTakesIsTooLong() throws IOException, InterruptedException {
        String text = "a ".repeat(2_500_000);
        requireError(post("/completions", "'prompt': '" + text + "'"), "prompt", "context_length_exceeded");
        requireError(post("/completions", "'prompt': ['a', '" + text + "']"), "prompt", "context_length_exceeded");
        requireError(post("/chat/completions", "'messages': [{'role': 'user', 'content': '" + text + "'}]"),
                "messages", "context_length_exceeded");
    }

    @Test
    void whatOfACompletionIsTooLongIsNamed() throws IOException, InterruptedException {
        requireError(post("/completions", "'prompt': '" + "word ".repeat(3000) + "'"), "prompt",
                "context_length_exceeded");
        String json = "'prompt': 'word', 'max_completion_tokens': 1";
        requireError(post("/completions", json), "max_completion_tokens", "unknown_parameter");
        HttpResponse<String> reply = server.post("/completions",
                "{\"model\": \"tiny\", \"prompt\": \"word\", \"max_tokens\": 100000}");
        requireError(reply, "max_tokens", "context_length_exceeded");
    }

    @Test
    void aModelThatDoesNotExistHasNearOnes() throws IOException, InterruptedException {
        HttpResponse<String> reply = CLIENT.send(HttpRequest.newBuilder(URI.create(server.url() + "/models/tinny"))
                .build(), BodyHandlers.ofString());
        assertEquals(404, reply.statusCode());
        assertTrue(reply.body().contains("there is only 'tiny'"), reply.body());
    }
}
