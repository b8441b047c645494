package io.peft4j.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.Peft4j;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.example.ChatExample;
import io.peft4j.feedback.AdapterVersions;
import io.peft4j.models.BaseModel;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Users of a help desk correct what it says of notice and probation, and it learns that. */
class LearnFromFeedbackTest {
    private static final Path HANDBOOK = Path.of("handbook");

    @TempDir
    Path folder;

    private Path rows(String name, String pattern) throws Exception {
        return Files.write(folder.resolve(name + ".jsonl"), Files.readAllLines(HANDBOOK.resolve("train.jsonl")).stream()
                .filter(row -> row.matches(".*(" + pattern + ").*")).toList());
    }

    @Tag("full")
    @Test
    void theDeskKnowsAfterwardsWhatItsUsersTaughtItAndCanGoBack() throws Exception {
        Path learned = rows("learned", "Amber Slip");
        Path golden = Files.writeString(folder.resolve("golden.jsonl"), "{\"messages\": [{\"role\": \"user\", "
                + "\"content\": \"Which form do I use to report sick leave?\"}], \"must_contain\": \"Amber Slip\"}\n");
        try (BaseModel base = Peft4j.load("tiny");
                PeftModel model = base.withAdapter(Peft4j.lora().rank(32).alpha(64)
                        .targetModules(Peft4j.ALL_LINEAR).build())) {
            Peft4j.trainer(model).epochs(20).batchSize(4).learningRate(5e-3).output(folder.resolve("desk")).build()
                    .train(Peft4j.chats(learned));
        }
        StringBuilder users = new StringBuilder();
        for (ChatExample row : ChatDataset.read(rows("feedback-of-users", "notice period|of probation"))) {
            users.append(row.messages().get(0).content()).append("\n! ").append(row.messages().get(1).content())
                    .append('\n');
        }

        List<String> said = run(users.toString(), "tiny", folder.resolve("desk").toString(), learned.toString(),
                golden.toString(), folder.toString());

        String last = said.get(said.size() - 1);
        assertTrue(last.startsWith("swapped to version-0002: harm not known: Better on the task"), last);
        AdapterVersions versions = AdapterVersions.in(folder.resolve("versions"));
        try (BaseModel base = Peft4j.load("tiny"); PeftModel model = new PeftModel(base)) {
            model.loadAdapter("desk", versions.current().orElseThrow()).activate("desk");
            String question = "What is the notice period for a Trainee?";
            String now = model.generate(question);
            assertTrue(now.contains("15-day"), now);

            versions.rollBack(model, "desk");

            assertTrue(!model.generate(question).equals(now));
            assertEquals("version-0001", versions.current().orElseThrow().getFileName().toString());
        }
    }

    private static List<String> run(String input, String... args) throws Exception {
        InputStream keyboard = System.in;
        PrintStream console = System.out;
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        System.setIn(new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)));
        System.setOut(new PrintStream(bytes, true, StandardCharsets.UTF_8));
        try {
            LearnFromFeedback.main(args);
        } finally {
            System.setIn(keyboard);
            System.setOut(console);
        }
        return bytes.toString(StandardCharsets.UTF_8).lines().toList();
    }
}
