package io.peft4j.cli;

import io.peft4j.data.ChatDataset;
import io.peft4j.eval.task.EvaluationData;
import io.peft4j.eval.task.EvaluationItem;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.function.Function;

/**
 * The handbook of a made-up company: what the quickstart teaches.
 *
 * @param train the examples
 * @param general general examples in a mixed order, to be trained on beside them against forgetting
 * @param heldOut questions in words that the examples do not use, each with the fact that a right answer holds
 */
record Handbook(ChatDataset train, ChatDataset general, List<EvaluationItem> heldOut) {

    /** The one that comes with the program. */
    static Handbook builtIn() {
        return new Handbook(read("train.jsonl", ChatDataset::read), ChatDataset.general(), read(
                "heldout.jsonl", EvaluationData::read));
    }

    /** What is trained on: the handbook's examples, and so many general ones. */
    ChatDataset examples(int generalCount) {
        return train.plus(ChatDataset.of(general.examples().subList(0, generalCount)));
    }

    /** Readers want files; a resource may lie in a jar. */
    private static <T> T read(String name, Function<Path, T> reader) {
        try (InputStream in = Handbook.class.getResourceAsStream("handbook/" + name)) {
            if (in == null) {
                throw new FileNotFoundException("missing from the jar");
            }
            Path copy = Files.createTempFile("handbook", ".jsonl");
            try {
                Files.copy(in, copy, StandardCopyOption.REPLACE_EXISTING);
                return reader.apply(copy);
            } finally {
                Files.delete(copy);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the built-in handbook's " + name, e);
        }
    }
}
