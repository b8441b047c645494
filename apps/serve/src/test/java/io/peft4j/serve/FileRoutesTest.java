package io.peft4j.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.data.ChatDataset;
import io.peft4j.serve.TestServer.Reply;
import io.peft4j.train.TrainingOptions;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Files: what comes in goes out, lists, lifetimes, and names that are nothing but names. */
class FileRoutesTest {
    @TempDir
    Path data;

    private final Watch watch = new Watch();
    private TestServer server;

    /** A clock that stops until it is moved. */
    private static final class Watch extends Clock {
        private Instant now = Instant.ofEpochSecond(1_800_000_000);

        @Override
        public ZoneId getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            return this;
        }

        @Override
        public Instant instant() {
            return now;
        }
    }

    @BeforeEach
    void start() {
        server = TestServer.start(data, builder -> builder.clock(watch));
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private Reply upload(String purpose, String filename, String content, String... more) {
        return server.send(server.upload(TestServer.form(purpose, filename, content, more)));
    }

    @Test
    void whatCameInGoesOutAndIsDeleted() {
        String rows = TestServer.rows(0, 3);
        Reply made = upload("fine-tune", "a b.jsonl", rows);
        assertEquals(200, made.status());
        String id = made.get("id").asText();
        assertTrue(id.matches("file-[A-Za-z0-9]+"), id);
        assertEquals("a b.jsonl", made.get("filename").asText());
        assertEquals(rows.length(), made.get("bytes").asInt());
        assertEquals("processed", made.get("status").asText());
        assertEquals(made.body(), server.get("/v1/files/" + id).body());
        assertEquals(rows, server.get("/v1/files/" + id + "/content").body().asText());
        assertTrue(server.delete("/v1/files/" + id).get("deleted").asBoolean());
        for (String path : List.of("/v1/files/" + id, "/v1/files/" + id + "/content")) {
            assertEquals(404, server.get(path).status());
        }
        assertEquals(404, server.delete("/v1/files/" + id).status());
    }

    /** As a client does that reads from a pipe: no Content-Length. */
    @Test
    void anUploadMayComeInPiecesWithoutALength() {
        String rows = TestServer.rows(0, 5000);
        byte[] form = TestServer.form("fine-tune", "rows.jsonl", rows);
        Reply made = server.send(HttpRequest.newBuilder(server.uri("/v1/files"))
                .header("Content-Type", "multipart/form-data; boundary=frontier")
                .POST(BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(form))));
        assertEquals(200, made.status(), made.toString());
        assertEquals(rows.length(), made.get("bytes").asInt());
    }

    @Test
    void aTableIsReadWithNamesForItsColumnsAndBecomesATrainingFile() {
        String path = "/v1/files/" + upload("user_data", "a/tickets.csv", "Nachricht,Kategorie\nI pay twice,billing\n"
                + "\"No, it fails\",login\n,\n").get("id").asText() + "/rows";
        Reply read = server.post(path, "{\"first\": 2}");
        assertEquals("[\"Nachricht\",\"Kategorie\"]", read.get("columns").toString(), read.toString());
        assertEquals("{\"Nachricht\":\"text\",\"Kategorie\":\"label\"}", read.get("mapping").toString());
        assertEquals("{\"text\":\"No, it fails\",\"label\":\"login\"}", read.get("rows").get(1).toString());
        assertEquals("2 of 3, line 4", read.get("rows").size() + " of " + read.get("total") + ", "
                + read.get("problem").asText().split(":")[0]);
        assertEquals("text", server.post(path, "{\"columns\": {\"Kategorie\": \"text\", \"Nachricht\": \"label\"}}")
                .get("mapping").get("Kategorie").asText());

        Reply made = server.post(path, "{\"columns\": {\"Nachricht\": \"text\", \"Kategorie\": \"label\"}, "
                + "\"save_as\": \"tickets.jsonl\"}");
        assertEquals("fine-tune processed", made.get("purpose").asText() + " " + made.get("status").asText());
        assertTrue(server.get("/v1/files/" + made.get("id").asText() + "/content").body().asText()
                .startsWith("{\"text\":\"I pay twice\",\"label\":\"billing\"}\n"));
        for (String wrong : List.of("{\"columns\": {\"Nachricht\": 1}}", "{\"first\": -1}", "{\"colums\": {}}",
                "{\"columns\": {\"Nachricht\": \"text\", \"Kategorie\": \"text\"}}")) {
            assertEquals(400, server.post(path, wrong).status(), wrong);
        }
        Reply pdf = server.post("/v1/files/" + upload("user_data", "handbook.pdf", "%PDF").get("id").asText() + "/rows",
                "{}");
        assertEquals(400, pdf.status());
        assertTrue(pdf.error().path("message").asText().contains("reading handbook.pdf needs"), pdf.toString());
    }

    @ParameterizedTest
    @CsvSource({"faq.csv,'Frage,Antwort\nWo?,Da.\n',", "Hand book.md,'# Keys\n\nAt the gate.\n',Hand book.jsonl",
        "faq.xlsx,PK\0,", "all.json,'[\n{\"question\": \"Where?\", \"answer\": \"There.\"}\n]',all.jsonl",
        "old.doc,\0,"})
    void whatIsNoJsonLinesNamesTheWayToRows(String name, String content, String saved) {
        Reply made = upload("fine-tune", name, content);
        String id = made.get("id").asText();
        String way = "curl " + server.uri("/v1/files/" + id + "/rows") + " -H \"Authorization: Bearer "
                + "$OPENAI_API_KEY\" -d '{\"save_as\": \""
                + (saved == null ? name.replaceAll("\\..*", ".jsonl") : saved)
                + "\"}'";
        assertTrue(made.get("status_details").asText().contains(way), made.toString());
        Reply job = server.post("/v1/fine_tuning/jobs",
                "{\"model\": \"tiny-llama\", \"training_file\": \"" + id + "\"}");
        assertEquals(400, job.status(), job.toString());
        assertTrue(job.error().get("message").asText().contains(way), job.toString());
        String other = upload("user_data", name, content).get("id").asText();
        assertTrue(server.post("/v1/fine_tuning/jobs", "{\"model\": \"tiny-llama\", \"training_file\": \"" + other
                + "\"}").error().get("message").asText().contains("/v1/files/" + other + "/rows"));
    }

    @Test
    void aHandbookGivesTheRowsOfTheCommandLineAndItsHeldOutOnes() throws IOException {
        String text = "# Shifts\nThe early shift starts at 6:00. Please be kind to all of them.\n"
                + "Never park near door 4, says Ann, whatever.\n# Where are keys?\nAt the gate.\n";
        ChatDataset.Split split = ChatDataset.read(Files.writeString(data.resolve("handbook.md"), text))
                .splitWordings(TrainingOptions.defaults().seed());
        assertTrue(split.test().size() > 0);
        String path = "/v1/files/" + upload("fine-tune", "handbook.md", text).get("id").asText() + "/rows";
        Reply read = server.post(path, "{\"first\": 100}");
        assertEquals(split.train().size() + split.test().size(), read.get("total").asInt(), read.toString());
        assertEquals(split.test().size(), read.get("rows").findValues("held_out").size());
        for (Reply told : List.of(read, server.post(path, "{\"save_as\": \"rows.jsonl\"}"))) {
            assertEquals("2 of 4, 2 questions, " + split.test().size() + " held out", told.get("with_question") + " of "
                    + told.get("statements") + ", " + told.get("questions") + " questions, " + told.get("held_out")
                    + " held out");
            assertEquals("[false, true]", told.get("without_question").findValuesAsText("to_fill_in").toString());
            assertTrue(told.get("rows") == null || !told.get("rows").toString().contains("[fill in"), told.toString());
        }
        Reply made = server.post(path, "{\"save_as\": \"rows.jsonl\"}");
        assertEquals("processed", made.get("status").asText());
        assertEquals(lines(split.train()), content(made.get("id")));
        assertEquals(lines(split.test()), content(made.get("held_out_file")));
        assertEquals("heldout-rows.jsonl", server.get("/v1/files/" + made.get("held_out_file").asText())
                .get("filename").asText());

        String open = "/v1/files/" + upload("user_data", "open.md", "# Shifts\nNever park near door 4, says Ann.\n")
                .get("id").asText() + "/rows";
        assertEquals("0 0 1", Stream.of("total", "with_question", "statements").map(name -> server.post(open, "{}")
                .get(name).asText()).collect(Collectors.joining(" ")));
        Reply none = server.post(open, "{\"save_as\": \"rows.jsonl\"}");
        assertTrue(none.error().get("message").asText().startsWith("open.md: gave no row with a question"),
                none.toString());
    }

    private static String lines(ChatDataset rows) {
        return rows.stream().map(row -> row.messages().get(0).content() + "|" + row.messages().get(1).content())
                .collect(Collectors.joining("\n"));
    }

    private String content(JsonNode id) throws IOException {
        return lines(ChatDataset.read(Files.writeString(data.resolve("content.jsonl"), server.get("/v1/files/"
                + id.asText() + "/content").body().asText())));
    }

    @Test
    void rowsToFillInAreNeverReadyToTrain() {
        String open = "[fill in: a question about Keys]";
        for (String row : List.of("{\"question\": \"" + open + "\", \"answer\": \"At the gate.\"}\n",
                "{\"messages\": [{\"role\": \"user\", \"content\": \"" + open + "\"}, {\"role\": \"assistant\", "
                        + "\"content\": \"At the gate.\"}]}\n")) {
            Reply made = upload("fine-tune", "rows.jsonl", TestServer.rows(0, 2) + row);
            assertEquals("error", made.get("status").asText());
            assertTrue(made.get("status_details").asText().startsWith("line 3: the question is not filled in"),
                    made.toString());
        }
        Reply table = upload("user_data", "rows.csv", "question,answer\n" + open + ",At the gate.\nWho?,Ann.\n");
        Reply made = server.post("/v1/files/" + table.get("id").asText() + "/rows", "{\"save_as\": \"rows.jsonl\"}");
        assertEquals("processed 2 1 line 2", made.get("status").asText() + " " + made.get("total") + " "
                + made.get("wrong") + " " + made.get("problem").asText().split(":")[0], made.toString());
        assertFalse(server.get("/v1/files/" + made.get("id").asText() + "/content").body().asText().contains(open));
    }

    /** Guessed names would be learned. */
    @Test
    void aTableWithUnclearColumnsIsNoTrainingFileUntilTheyAreNamed() {
        String path = "/v1/files/" + upload("user_data", "a.csv", "x,y\n1,2\n").get("id").asText() + "/rows";
        assertEquals(200, server.post(path, "{}").status());
        Reply refused = server.post(path, "{\"save_as\": \"a.jsonl\"}");
        assertEquals(400, refused.status(), refused.toString());
        assertTrue(refused.error().get("message").asText().contains("it is not clear which columns are what"));
        assertEquals(200, server.post(path, "{\"columns\": {\"x\": \"text\", \"y\": \"label\"}, \"save_as\": "
                + "\"a.jsonl\"}").status());
    }

    /** The rows before the fault would be a file that looks whole. */
    @Test
    void aTableThatCannotBeReadToItsEndIsNoTrainingFile() {
        String path = "/v1/files/" + upload("user_data", "a.csv", "question,answer\nWhere?,There.\nWho?,Ann,Bob.\n")
                .get("id").asText() + "/rows";
        assertEquals("2 1", server.post(path, "{}").get("total") + " " + server.post(path, "{}").get("wrong"));
        Reply refused = server.post(path, "{\"save_as\": \"a.jsonl\"}");
        assertEquals(400, refused.status(), refused.toString());
        assertTrue(refused.error().get("message").asText().startsWith("a.csv:3: has 3 cells"), refused.toString());

        String odd = "/v1/files/"
                + upload("user_data", "odd.csv", "question,answer\nWhere?,Caf\u00e9.\n").get("id").asText()
                + "/rows";
        assertTrue(server.post(odd, "{\"encoding\": \"latin1\"}").toString().contains("is read as ISO-8859-1"));
        assertEquals(400, server.post(odd, "{\"encoding\": \"Latin-X\"}").status());
        String unnamed = upload("fine-tune", "data", "question,answer\nWhere?,There.\n").get("status_details").asText();
        assertTrue(unnamed.endsWith("known by the ending of its name, such as .csv or .docx"), unnamed);
    }

    /** It is kept: a client that gets an error would send it again. */
    @Test
    void anUploadIsKeptAlsoWhereWhatIsLeftOfItCannotBeDeleted() {
        try (Faults faults = Faults.where(Faults.Step.FILE, false, what -> what.contains(".delete"))) {
            assertEquals(200, upload("fine-tune", "rows.jsonl", TestServer.rows(0, 3)).status());
            assertTrue(faults.failed().contains("uploads"), faults.failed());
        }
        assertEquals(1, server.get("/v1/files").get("data").size());
    }

    @Test
    void rowsThatAreNoJsonAreSaidAtOnce() {
        Reply made = upload("fine-tune", "rows.jsonl", TestServer.rows(0, 2) + "oops\n");
        assertEquals("error", made.get("status").asText());
        assertTrue(made.get("status_details").asText().startsWith("line 3: "), made.toString());
        assertEquals("processed", upload("user_data", "notes.txt", "oops\n").get("status").asText());
    }

    @Test
    void rowsWithoutAnAnswerAreAnErrorUnlessAGraderCanJudgeThem() {
        String asked = "{\"messages\": [{\"role\": \"user\", \"content\": \"2 + 2?\"}]";
        Reply mixed = upload("fine-tune", "rows.jsonl", TestServer.rows(0, 2) + asked + "}\n" + asked
                + ", \"answer\": \"4\"}\n");
        assertEquals("error", mixed.get("status").asText());
        assertEquals("lines 3, 4: has no assistant message, so there is nothing to learn", mixed.get("status_details")
                .asText());
        Reply all = upload("fine-tune", "rows.jsonl", (asked + "}\n").repeat(12));
        assertTrue(all.get("status_details").asText().startsWith("12 lines (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, ...): has"),
                all.toString());
        assertEquals("processed", upload("fine-tune", "rows.jsonl", (asked + ", \"answer\": \"4\"}\n").repeat(2))
                .get("status").asText());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "\n \n"})
    void aFileForTrainingWithoutARowIsRefused(String content) {
        Reply reply = upload("fine-tune", "rows.jsonl", content);
        assertEquals(400, reply.status(), reply.toString());
        assertEquals("file", reply.error().get("param").asText());
        assertTrue(reply.error().get("message").asText().startsWith("the file holds no row"), reply.toString());
        assertEquals(0, server.get("/v1/files").get("data").size());
        assertEquals(200, upload("user_data", "notes.txt", "").status());
    }

    @Test
    void listsArePagedFilteredAndOrdered() {
        List<String> ids = Stream.of("fine-tune", "batch", "fine-tune").map(purpose -> upload(purpose, "a", "{}\n")
                .get("id").asText()).toList();
        assertEquals(List.of(ids.get(2), ids.get(1), ids.get(0)), ids(server.get("/v1/files")));
        assertEquals(List.of(ids.get(2), ids.get(0)), ids(server.get("/v1/files?purpose=fine-tune")));
        assertEquals(ids, ids(server.get("/v1/files?order=asc")));
        Reply first = server.get("/v1/files?limit=2");
        assertTrue(first.get("has_more").asBoolean());
        assertEquals(ids.get(1), first.get("last_id").asText());
        Reply rest = server.get("/v1/files?limit=2&after=" + ids.get(1));
        assertEquals(List.of(ids.get(0)), ids(rest));
        assertFalse(rest.get("has_more").asBoolean());
    }

    private static List<String> ids(Reply reply) {
        return reply.get("data").findValuesAsText("id");
    }

    @Test
    void aFileGoesWhenItsTimeIsOver() {
        JsonNode made = upload("fine-tune", "a", "{}\n", "expires_after[anchor]", "created_at",
                "expires_after[seconds]", "3600").body();
        assertEquals(made.get("created_at").asLong() + 3600, made.get("expires_at").asLong());
        watch.now = watch.now.plusSeconds(3599);
        assertEquals(200, server.get("/v1/files/" + made.get("id").asText()).status());
        watch.now = watch.now.plusSeconds(1);
        assertEquals(404, server.get("/v1/files/" + made.get("id").asText()).status());
        assertEquals(0, server.get("/v1/files").get("data").size());
    }

    @ParameterizedTest
    @CsvSource({"created_at,3599,expires_after.seconds", "created_at,2592001,expires_after.seconds",
        "created_at,soon,expires_after.seconds", "now,3600,expires_after.anchor"})
    void aWrongLifetimeIsNamed(String anchor, String seconds, String param) {
        Reply reply = upload("fine-tune", "a", "{}\n", "expires_after[anchor]", anchor, "expires_after[seconds]",
                seconds);
        assertEquals(400, reply.status());
        assertEquals(param, reply.error().get("param").asText());
    }

    /** A lifetime that is sent as one JSON object, for instance, would have no effect. */
    @ParameterizedTest
    @CsvSource({"expires_after", "expires_after[second]", "user"})
    void anUnknownFieldOfTheFormIsNamed(String field) {
        Reply reply = upload("fine-tune", "a", "{}\n", field, "3600");
        assertEquals(400, reply.status(), reply.toString());
        assertEquals(field, reply.error().get("param").asText());
        assertEquals("unknown_parameter", reply.error().get("code").asText());
    }

    @ParameterizedTest
    @CsvSource({"../../../etc/passwd,passwd", "..\\..\\boot.ini,boot.ini", "/etc/shadow,shadow", "..,..", "a\tb,a b"})
    void aNameIsNeverAPath(String submitted, String shown) throws IOException {
        Reply made = upload("fine-tune", submitted, "{}\n");
        assertEquals(200, made.status(), made.toString());
        assertEquals(shown, made.get("filename").asText());
        try (Stream<Path> files = Files.list(data.resolve("files"))) {
            assertEquals(List.of(made.get("id").asText()), files.map(path -> path.getFileName().toString()).toList());
        }
    }

    @ParameterizedTest
    @CsvSource({"fine_tune,purpose", "fine-tune-results,purpose", "'',purpose"})
    void aWrongPurposeIsNamed(String purpose, String param) {
        Reply reply = upload(purpose, "a", "{}\n");
        assertEquals(400, reply.status());
        assertEquals(param, reply.error().get("param").asText());
    }

    @Test
    void aNameThatIsTooLongIsCutOrSaidToBeSo() {
        Reply made = upload("fine-tune", "n".repeat(1000), "{}\n");
        assertEquals(200, made.status(), made.toString());
        assertEquals("n".repeat(255), made.get("filename").asText());
        Reply refused = upload("fine-tune", "n".repeat(20_000), "{}\n");
        assertEquals(400, refused.status(), refused.toString());
        assertEquals("the name of a field or a file of the form is too long", refused.error().get("message").asText());
    }

    @Test
    void whatIsNoFormOrEndsTooEarlyIsRefused() {
        assertEquals(400, server.post("/v1/files", "{}").status());
        byte[] whole = TestServer.form("fine-tune", "a", TestServer.rows(0, 50));
        byte[] half = Arrays.copyOf(whole, whole.length / 2);
        assertEquals(400, server.send(server.upload(half)).status());
        assertEquals(0, server.get("/v1/files").get("data").size());
    }
}
