package io.peft4j.serve.job;

import io.peft4j.core.error.PeftException;
import io.peft4j.data.format.DataRow;
import io.peft4j.data.format.OpenRows;
import io.peft4j.serve.http.ApiException;
import io.peft4j.serve.http.Bound;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/** Looks at a file of training data as a whole: what it is, and whether this server has the memory to learn from it. */
public final class TrainingFile {
    /** What a row takes beside its text. */
    private static final int ROW = 64;
    private static final int PIECE = 64;

    private TrainingFile() {
    }

    /**
     * What a file is.
     *
     * @param rows how many lines hold something
     * @param fault the first line that is no JSON object
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
        try (OpenRows rows = OpenRows.jsonLines(file)) {
            for (Optional<DataRow> next = rows.next(); next.isPresent(); next = rows.next()) {
                if (count % PIECE == 0) {
                    before.run();
                }
                DataRow entry = next.get();
                fault = fault.isPresent() ? fault
                        : entry.faults().stream().findFirst().map(what -> "line " + entry.line() + ": "
                                + what.message());
                count++;
                characters += ROW + DataRow.characters(entry.fields());
                if (characters > mostCharacters) {
                    return new Look(count, fault, Optional.of(String.format(Locale.ROOT, "line %d: up to here the file "
                            + "holds %,d characters, more than this server has memory for; split the file, or let the "
                            + "server be started with more memory for Java", entry.line(), characters)));
                }
            }
            return new Look(count, fault, Optional.empty());
        } catch (ApiException e) {
            throw e;
        } catch (PeftException e) {
            return new Look(count, fault.or(() -> Optional.of(e.getMessage())), Optional.empty());
        }
    }
}
