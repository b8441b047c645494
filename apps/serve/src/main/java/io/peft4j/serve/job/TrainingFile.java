package io.peft4j.serve.job;

import io.peft4j.core.error.PeftException;
import io.peft4j.data.format.DataFormat;
import io.peft4j.data.format.DataRow;
import io.peft4j.data.format.ExampleReader;
import io.peft4j.data.format.OpenRows;
import io.peft4j.data.format.RowFault;
import io.peft4j.data.format.UnfilledRows;
import io.peft4j.serve.http.ApiException;
import io.peft4j.serve.http.Bound;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Looks at a file of training data as a whole: what it is, and whether this server has the memory to learn from it. */
public final class TrainingFile {
    /** What a row takes beside its text. */
    private static final int ROW = 64;
    private static final int PIECE = 64;
    private static final int MOST_LISTED = 10;
    private static final String NO_ANSWER = "example_missing_assistant_message";
    /** What a grader can compare no answer with. */
    private static final Set<String> ASKED = Set.of("messages", "tools", "functions", "parallel_tool_calls");

    private TrainingFile() {
    }

    /**
     * What a file is.
     *
     * @param rows how many lines hold something
     * @param fault the first line that is no JSON object or a conversation with errors, as {@code data check} has it,
     *     or else all those without an answer. Lines with further fields may be without one, for reinforcement, if
     *     all are
     * @param tooLarge where it holds more than this server has memory for
     */
    public record Look(long rows, Optional<String> fault, Optional<String> tooLarge) {
    }

    /**
     * Looks at a file, compressed or not, up to where it holds too much.
     *
     * @param before runs before some rows; may throw to give up
     */
    public static Look look(Path file, Runnable before) {
        return look(file, Bound.TRAINING_CHARACTERS.most(), before);
    }

    static Look look(Path file, long mostCharacters, Runnable before) {
        long count = 0;
        long characters = 0;
        Optional<String> fault = Optional.empty();
        List<Long> unanswered = new ArrayList<>();
        boolean learned = false;
        try (OpenRows rows = OpenRows.jsonLines(file)) {
            for (Optional<DataRow> next = rows.next(); next.isPresent(); next = rows.next()) {
                if (count % PIECE == 0) {
                    before.run();
                }
                DataRow entry = next.get();
                // What other rows are good for depends on the method: the check of a job tells.
                boolean chat = DataFormat.of(entry.fields()).equals(Optional.of(DataFormat.CHAT));
                List<RowFault> faults = fault.isPresent() ? List.of()
                        : chat ? ExampleReader.faults(entry) : entry.faults();
                boolean asks = faults.stream().anyMatch(what -> what.code().equals(NO_ANSWER));
                if (asks) {
                    unanswered.add(entry.line());
                }
                learned |= asks ? ASKED.containsAll(entry.fields().keySet()) : chat;
                fault = fault.or(() -> faults.stream().filter(what -> what.fatal() && !what.code().equals(NO_ANSWER))
                        .findFirst().map(RowFault::message).or(() -> ExampleReader.example(entry)
                                .flatMap(UnfilledRows::unfilled).map(UnfilledRows::fault))
                        .map(what -> "line " + entry.line() + ": " + what));
                count++;
                characters += ROW + DataRow.characters(entry.fields());
                if (characters > mostCharacters) {
                    return new Look(count, fault, Optional.of(String.format(Locale.ROOT, "line %d: up to here the file "
                            + "holds %,d characters, more than this server has memory for; split the file, or let the "
                            + "server be started with more memory for Java", entry.line(), characters)));
                }
            }
            return new Look(count, fault.or(learned && !unanswered.isEmpty() ? () -> Optional.of(lines(unanswered)
                    + "has no assistant message, so there is nothing to learn") : Optional::empty), Optional.empty());
        } catch (ApiException e) {
            throw e;
        } catch (PeftException e) {
            return new Look(count, fault.or(() -> Optional.of(e.getMessage())), Optional.empty());
        }
    }

    /** Where something is: {@code "line 3: "}, {@code "lines 3, 5: "}, {@code "20 lines (3, 5, ...): "}. */
    static String lines(List<Long> lines) {
        String first = lines.stream().limit(MOST_LISTED).map(String::valueOf).collect(Collectors.joining(", "));
        return lines.isEmpty() ? "" : lines.size() == 1 ? "line " + first + ": " : lines.size() <= MOST_LISTED
                ? "lines " + first + ": " : lines.size() + " lines (" + first + ", ...): ";
    }
}
