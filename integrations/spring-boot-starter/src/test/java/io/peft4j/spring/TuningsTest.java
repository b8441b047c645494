package io.peft4j.spring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.SplitOptions;
import io.peft4j.data.example.ChatExample;
import io.peft4j.models.BaseModel;
import io.peft4j.models.PeftAdapters;
import io.peft4j.spring.Tunings.Permissions;
import io.peft4j.spring.Tunings.Tuning;
import io.peft4j.train.plan.AutoInteger;
import io.peft4j.train.plan.AutoNumber;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A tuned adapter answers when its verdict allows it, or when the request says so. */
class TuningsTest {
    private static final int ROWS = 160;
    private static final Permissions REPLACE = new Permissions(true, false);
    private static final PeftProperties.Tuning OPTIONS = new PeftProperties.Tuning(true, 16,
            AutoInteger.of("2"), AutoInteger.of("8"), AutoNumber.of("5e-3"), 1000, 24, 0);

    @TempDir
    private Path folder;
    private PeftAdapters adapters;
    private Tunings tunings;

    @BeforeEach
    void open() {
        adapters = new PeftAdapters(BaseModel.load("tiny"), Optional.of(folder), Optional.empty(),
                Optional.empty(), Duration.ZERO);
        tunings = new Tunings(adapters, OPTIONS);
    }

    @AfterEach
    void close() {
        tunings.close();
        adapters.close();
    }

    private static String question(int number) {
        return "Where is box " + number + "?";
    }

    private static ChatDataset rows(Set<Integer> wrong) {
        return ChatDataset.of(IntStream.range(0, ROWS).mapToObj(i -> ChatExample.of(ChatMessage.user(question(i)),
                ChatMessage.assistant(wrong.contains(i) ? "Nobody knows." : "In the cellar."))).toList());
    }

    /** As JSON Lines; the texts need no escapes. */
    private static String text(ChatDataset rows) {
        return rows.stream().map(row -> "{\"messages\": " + row.messages().stream().map(message -> "{\"role\": \""
                + message.role() + "\", \"content\": \"" + message.content() + "\"}")
                .collect(Collectors.joining(", ", "[", "]}"))).collect(Collectors.joining("\n"));
    }

    private Tuning train(ChatDataset rows, Permissions permissions) throws InterruptedException {
        tunings.begin("hr", text(rows), permissions);
        long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(5);
        while (Set.of("waiting", "running").contains(tunings.all().get("hr").state())) {
            assertTrue(System.nanoTime() < end, "the training does not end");
            Thread.sleep(20);
        }
        return tunings.all().get("hr");
    }

    private String answer() {
        return adapters.model("hr").generate(question(1000)).strip();
    }

    @Test
    void aTrainingThatIsRefusedAThreadDoesNotWaitForEver() {
        tunings.close();
        assertThrows(RejectedExecutionException.class, () -> tunings.begin("hr", text(rows(Set.of())), REPLACE));
        assertEquals("failed", tunings.all().get("hr").state());
    }

    @Tag("full")
    @Test
    void aHarmfulAdapterAnswersOnlyWhereTheRequestSaysSo() throws InterruptedException {
        Tuning first = train(rows(Set.of()), new Permissions(false, false));
        assertEquals("done", first.state(), first.message());
        assertEquals("harm_not_known", first.decision(), first.message());
        assertEquals("In the cellar.", answer());

        // Everything learned is wrong, and what is held out is right.
        Set<ChatExample> heldOut = new HashSet<>(rows(Set.of()).split(SplitOptions.ratios(0.9, 0.1)).test()
                .examples());
        ChatDataset harmful = rows(IntStream.range(0, ROWS).filter(i -> !heldOut.contains(rows(Set.of()).examples()
                .get(i))).boxed().collect(Collectors.toSet()));
        Tuning refused = train(harmful, REPLACE);
        assertEquals("rejected", refused.state(), refused.message());
        assertEquals("do_not_ship", refused.decision(), refused.message());
        assertTrue(refused.message().contains("The tuned model is worse"), refused.message());
        assertEquals("In the cellar.", answer());

        Tuning forced = train(harmful, new Permissions(true, true));
        assertEquals("done", forced.state(), forced.message());
        assertEquals("do_not_ship", forced.decision(), "it is told all the same");
        assertEquals("Nobody knows.", answer());
    }

    @Test
    void fewRowsAreAllLearnedAndAsked() throws InterruptedException {
        Tuning tuning = train(ChatDataset.of(rows(Set.of()).examples().subList(0, 3)), REPLACE);
        assertEquals("done", tuning.state(), tuning.message());
        assertEquals("need_more_items", tuning.decision(), tuning.message());
        assertTrue(tuning.message().contains("asked were rows that it learned"), tuning.message());
        assertFalse(adapters.names().isEmpty());
    }
}
