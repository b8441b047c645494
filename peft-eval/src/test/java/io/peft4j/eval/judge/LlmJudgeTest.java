package io.peft4j.eval.judge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.eval.judge.FakeServer.Reply;
import io.peft4j.eval.judge.Judge.Choice;
import io.peft4j.eval.judge.Judge.Preference;
import io.peft4j.eval.judge.Judge.Rating;
import io.peft4j.eval.task.EvaluationItem;
import io.peft4j.eval.task.PairedScores;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A judge on a server: its answers are read strictly, in both orders, and nothing is dropped in silence. */
class LlmJudgeTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final EvaluationItem ITEM = EvaluationItem.reference("How long?", "90 days");

    private static Reply chat(String content) {
        return new Reply(200, JSON.createObjectNode().set("choices", JSON.createArrayNode().add(
                JSON.createObjectNode().set("message", JSON.createObjectNode().put("role", "assistant")
                        .put("content", content))))
                .toString());
    }

    private static LlmJudge judge(FakeServer server) {
        return LlmJudge.of(Endpoint.of(server.url(), "a-judge").withTries(2, Duration.ofMillis(1)));
    }

    private static LlmJudge saying(String text) {
        return LlmJudge.of("told", messages -> text);
    }

    @Test
    void theRequestHasOpenAisForm() throws IOException {
        try (FakeServer server = new FakeServer(request -> chat("{\"reason\": \"fine\", \"points\": 4}"))) {
            Endpoint endpoint = Endpoint.of(server.url() + "/", "a-judge").withKey("secret");
            assertEquals(OptionalInt.of(4), LlmJudge.of(endpoint).rate(ITEM, "It is 90 days.").points());
            FakeServer.Request request = server.requests().get(0);
            assertEquals("/v1/chat/completions", request.path());
            assertEquals("Bearer secret", request.key());
            JsonNode body = JSON.readTree(request.body());
            assertEquals("a-judge", body.get("model").asText());
            assertEquals(0, body.get("temperature").asDouble());
            String asked = body.get("messages").get(1).get("content").asText();
            assertTrue(asked.contains("<expected>\n90 days\n</expected>")
                    && asked.contains("<answer>\nIt is 90 days.\n</answer>"), asked);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "5", "{\"points\": 6}", "{\"points\": 0}", "{\"points\": 4.5}", "{\"points\": \"4\"}",
        "{\"points\": 4} because", "I give {\"points\": 4}", "{\"points\": 4}{\"points\": 5}",
        "{\"points\": 4, \"points\": 5}", "[4]", "{\"score\": 4}", "{\"points\": null}",
        "```json\n{\"points\": 4}\n``` and more"})
    void repliesOfAnotherFormAreNotJudgements(String text) {
        Rating rating = saying(text).rate(ITEM, "90 days");
        assertTrue(rating.trouble().orElseThrow().unparsable(), text);
        assertTrue(saying(text).compare(ITEM, "90 days", "80 days").trouble().orElseThrow().unparsable(), text);
    }

    @Test
    void codeFencesAroundTheObjectAreRemoved() {
        assertEquals(OptionalInt.of(3), saying("```json\n{\"points\": 3}\n```\n").rate(ITEM, "x").points());
    }

    /** A judge that says so of the two answers as it sees them. */
    private static LlmJudge choosing(Function<String, String> better) {
        return LlmJudge.of("chooser", messages -> {
            String asked = messages.get(1).content();
            String first = asked.substring(asked.indexOf("<answer_A>\n") + 11, asked.indexOf("\n</answer_A>"));
            return "{\"better\": \"" + better.apply(first) + "\"}";
        });
    }

    @Test
    void pairsAreJudgedInBothOrders() {
        LlmJudge prefersNinety = choosing(first -> first.contains("90") ? "A" : "B");
        assertEquals(Preference.of(Choice.FIRST), prefersNinety.compare(ITEM, "90 days", "80 days"));
        assertEquals(Preference.of(Choice.SECOND), prefersNinety.compare(ITEM, "80 days", "90 days"));
        assertEquals(Preference.of(Choice.INCONSISTENT), choosing(first -> "A").compare(ITEM, "90 days", "80 days"));
        assertEquals(Preference.of(Choice.INCONSISTENT), choosing(first -> "B").compare(ITEM, "90 days", "80 days"));
        assertEquals(Preference.of(Choice.TIE), choosing(first -> "tie").compare(ITEM, "90 days", "80 days"));
    }

    @Test
    void busyServersAreRetried() throws IOException {
        List<Reply> replies = new ArrayList<>(List.of(new Reply(503, "busy"), chat("{\"points\": 2}")));
        try (FakeServer server = new FakeServer(request -> replies.remove(0))) {
            assertEquals(OptionalInt.of(2), judge(server).rate(ITEM, "x").points());
            assertEquals(2, server.requests().size());
        }
    }

    @Test
    void refusedRequestsAreNotRetried() throws IOException {
        try (FakeServer server = new FakeServer(request -> new Reply(401, "no such key"))) {
            Judge.Trouble trouble = judge(server).rate(ITEM, "x").trouble().orElseThrow();
            assertTrue(!trouble.unparsable() && trouble.message().contains("status 401: no such key"),
                    trouble.message());
            assertEquals(1, server.requests().size());
        }
    }

    @Test
    void unreachableAndInvalidServersAreReported() throws IOException {
        String gone;
        try (FakeServer server = new FakeServer(request -> new Reply(200, "<html>"))) {
            gone = server.url();
            assertTrue(judge(server).rate(ITEM, "x").trouble().orElseThrow().message()
                    .contains("does not answer with JSON: <html>"));
        }
        Judge none = LlmJudge.of(Endpoint.of(gone, "x").withTries(1, Duration.ZERO));
        assertTrue(none.rate(ITEM, "x").trouble().orElseThrow().message().contains("cannot be reached"));
        try (FakeServer server = new FakeServer(request -> new Reply(200, "{\"choices\": []}"))) {
            assertTrue(judge(server).rate(ITEM, "x").trouble().orElseThrow().message()
                    .contains("without choices[0].message.content"));
        }
    }

    @Test
    void urlsAreValidated() {
        for (String wrong : List.of("localhost:8000/v1", "ftp://a/v1", "http://", "http://a b/v1")) {
            assertThrows(ConfigurationException.class, () -> Endpoint.of(wrong, "x"), wrong);
        }
    }

    @Test
    void missingJudgementsAreReported() throws IOException {
        List<EvaluationItem> items = new ArrayList<>();
        List<String> base = new ArrayList<>();
        List<String> tuned = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            items.add(EvaluationItem.reference("Question " + i + "?", "right " + i));
            base.add("wrong " + i);
            tuned.add(i == 5 ? "wrong 5" : "right " + i);
        }
        try (FakeServer server = new FakeServer(LlmJudgeTest::byItem)) {
            JudgedAnswers judged = new JudgedAnswers(judge(server), 3, items, base);
            List<PairedScores> scores = judged.against(tuned);
            assertEquals(List.of(JudgedAnswers.SCORE, JudgedAnswers.PREFERRED),
                    scores.stream().map(PairedScores::name).toList());
            assertEquals(List.of(OptionalDouble.of(0), OptionalDouble.empty(), OptionalDouble.empty(),
                    OptionalDouble.of(0), OptionalDouble.of(0), OptionalDouble.of(0)), scores.get(0).base());
            assertEquals(OptionalDouble.of(1), scores.get(0).arm().get(0));
            // Item 3 is decided by its position, and item 5 has equal answers: preferred on neither side.
            assertEquals(List.of(OptionalDouble.of(1), OptionalDouble.empty(), OptionalDouble.empty(),
                    OptionalDouble.of(0), OptionalDouble.of(1), OptionalDouble.of(0)), scores.get(1).arm());
            JudgeReport report = judged.report();
            assertEquals(List.of(new JudgeReport.Count(JudgedAnswers.SCORE, 8, 2, 2, 0),
                    new JudgeReport.Count(JudgedAnswers.PREFERRED, 4, 1, 1, 1)), report.counts());
            assertTrue(report.isIncomplete());
            assertTrue(report.troubles().stream().anyMatch(text -> text.contains("status 500"))
                    && report.troubles().stream().anyMatch(text -> text.contains("not the requested format")),
                    report.troubles().toString());
        }
    }

    /** Item 1: the server fails; 2: nonsense; 3: always the first; else right answers are better. */
    private static Reply byItem(FakeServer.Request request) {
        String body = request.body();
        if (body.contains("Question 1?")) {
            return new Reply(500, "broken");
        }
        if (body.contains("Question 2?")) {
            return chat("They are both nice.");
        }
        boolean pair = body.contains("answer_A");
        String first = pair ? body.substring(body.indexOf("<answer_A>"), body.indexOf("</answer_A>"))
                : body.substring(body.indexOf("<answer>"), body.indexOf("</answer>"));
        boolean right = first.contains("right");
        return chat(!pair ? "{\"points\": " + (right ? 5 : 1) + "}"
                : "{\"better\": \"" + (right || body.contains("Question 3?") ? "A" : "B") + "\"}");
    }
}
