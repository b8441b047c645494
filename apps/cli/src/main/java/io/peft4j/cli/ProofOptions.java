package io.peft4j.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.data.format.DataFile;
import io.peft4j.data.format.TableColumns;
import io.peft4j.eval.ShippingCheck;
import io.peft4j.eval.task.EvaluationData;
import io.peft4j.eval.task.EvaluationItem;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import picocli.CommandLine.Option;

/** Whether a tuning survives being written: held-out questions are asked before and after. */
@HelpGroup(HelpGroup.OUTPUT)
final class ProofOptions {
    /** As long as most answers, and some more. */
    private static final GenerationOptions ANSWERS = GenerationOptions.defaults();

    @Option(names = "--prove", paramLabel = "FILE", description = "Held-out questions, as for evaluate: they are asked "
            + "before, and again of what is read back from the new file; nothing is written where too many answers are "
            + "lost.")
    private Path data;

    @Option(names = "--allow-loss", paramLabel = "POINTS", defaultValue = "2", description = "How many points, percent "
            + "of the questions, fewer may be right. Default: ${DEFAULT-VALUE}")
    private double most;

    private List<EvaluationItem> items = List.of();
    private Optional<ShippingCheck.Asked> before = Optional.empty();
    private Optional<ShippingCheck> result = Optional.empty();

    /** Checks the options and reads the questions. */
    void check(PeftCommand command) {
        command.requireWith("--prove", List.of("--allow-loss"));
        if (!(most >= 0 && most <= 100)) {
            throw command.usage("--allow-loss is " + most + "; it must be from 0 to 100 points");
        }
        if (data != null) {
            items = EvaluationData.read(TableColumns.of(DataFile.of(data), EvaluationData.COLUMNS).file());
        }
    }

    boolean isGiven() {
        return data != null;
    }

    /** Asks the model before it is written. */
    void askBefore(LanguageModel model) {
        if (isGiven()) {
            before = Optional.of(ShippingCheck.ask(model, items, ANSWERS).requireRight());
        }
    }

    /**
     * Asks what was written; refuses it where too much is lost.
     *
     * @param ways commands that keep more
     */
    void askAfter(LanguageModel written, List<String> ways) {
        before.ifPresent(asked -> {
            try {
                result = Optional.of(ShippingCheck.between(asked, ShippingCheck.ask(written, items, ANSWERS)).require(
                        most));
            } catch (ConfigurationException e) {
                throw new ConfigurationException(e.getMessage() + ways.stream().map(way -> "\n  " + way).collect(
                        Collectors.joining()), e);
            }
        });
    }

    /** Where something is to be proved, has it written into a temporary folder first. */
    void onCopy(String name, Consumer<Path> writerAndProof) {
        if (!isGiven()) {
            return;
        }
        try {
            Path folder = Files.createTempDirectory("peft4j-proof");
            try {
                writerAndProof.accept(folder.resolve(name));
            } finally {
                AtomicFiles.delete(folder);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write a copy to prove", e);
        }
    }

    /** Says what came of it. */
    void say(Console console) {
        result.ifPresent(check -> console.say("proved on %s: %s", data, check));
    }

    /** Adds what came of it. */
    void addTo(ObjectNode line) {
        result.ifPresent(check -> {
            ObjectNode proof = line.putObject("proof").put("questions", items.size())
                    .put("right_before", check.before().facts().correct())
                    .put("right_after", check.after().facts().correct())
                    .put("lost", check.lost().size()).put("gained", check.gained().size())
                    .put("loss_points", check.loss());
            check.before().likelihood().ifPresent(likelihood -> proof.put("loss_before", likelihood.loss()));
            check.after().likelihood().ifPresent(likelihood -> proof.put("loss_after", likelihood.loss()));
        });
    }
}
