package io.peft4j.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.model.Beams;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.Completion.TokenProbability;
import io.peft4j.core.model.EncoderDecoderNetwork;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Prompt;
import io.peft4j.data.PromptRows;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code peft4j generate}: what a model answers. */
@Command(name = "generate", sortOptions = false, description = {"Answers one prompt or many.",
    "A prompt is a user message if the model has a chat template, else a text to continue. Rows of the data are "
            + "{\"messages\"}, {\"prompt\"}, {\"question\"} or {\"source\"}; answers to them are {\"text\": ...} a "
            + "line in their order, with \"finish_reason\": stop, or length for one that --max-new-tokens cut."})
final class GenerateCommand extends PeftCommand {
    /** Batches a call: results come early, and prompts of similar length still find each other. */
    private static final int BATCHES_A_CALL = 8;

    @Mixin
    private AdaptedModelOptions model;

    @ArgGroup(exclusive = true, multiplicity = "1")
    private Source source;

    @Mixin
    private DataInput input;

    @Option(names = "--plain", description = "Continues the prompt without the chat template.")
    private boolean plain;

    @Mixin
    private AnswerOptions answer;

    @Option(names = "--answers", paramLabel = "N", defaultValue = "1",
            description = "Answers to each prompt. Default: ${DEFAULT-VALUE}")
    private int answers;

    @Option(names = "--log-probs", paramLabel = "N", defaultValue = "-1", description = "Adds the log-probability of "
            + "each token, and the N (0 to 20) most likely ones in its place, to the JSON.")
    private int logProbabilities;

    @Option(names = "--batch-size", paramLabel = "N", defaultValue = "32",
            description = "Prompts in a batch. Default: ${DEFAULT-VALUE}")
    private int batchSize;

    @Option(names = "--json", description = "Prints {\"text\": ...} also for one prompt.")
    private boolean json;

    @Option(names = "--beams", paramLabel = "N", defaultValue = "1", description = "Beam search with N beams, for "
            + "encoder-decoders. Default: ${DEFAULT-VALUE} (none)")
    private int beams;

    @Option(names = "--length-penalty", paramLabel = "X", defaultValue = "1", description = "Above 0 a beam search "
            + "prefers long answers. Default: ${DEFAULT-VALUE}")
    private double lengthPenalty;

    private boolean withIds;

    /** Where prompts come from. */
    private static final class Source {
        @Option(names = "--prompt", required = true, paramLabel = "TEXT", description = "One prompt.")
        private String prompt;

        @Option(names = "--data", required = true, paramLabel = "FILE",
                description = "Prompts: JSON Lines, CSV, TSV or Parquet.")
        private Path data;
    }

    @Override
    public Integer call() {
        if (logProbabilities >= 0 && !json && source.data == null) {
            throw usage("--log-probs needs --json");
        }
        GenerationOptions generation = answer.generation(this);
        GenerationOptions options = fromOptions(() -> {
            GenerationOptions all = generation.withBatchSize(batchSize).withAnswers(answers)
                    .withBeams(new Beams(beams, lengthPenalty, Beams.Stopping.HEURISTIC));
            return isGiven("--log-probs") ? all.withLogProbabilities(logProbabilities) : all;
        });
        return model.with(console(), loaded -> generate(loaded, options));
    }

    private int generate(LanguageModel loaded, GenerationOptions options) {
        withIds = loaded.network() instanceof EncoderDecoderNetwork;
        boolean chat = !plain && loaded.chatTemplate().isPresent();
        if (source.data != null) {
            printAll(loaded, PromptRows.read(input.file(source.data, PromptRows.COLUMNS), chat, loaded), options);
        } else if (json || answers > 1) {
            printAll(loaded, List.of(PromptRows.ofText(source.prompt, chat)), options);
        } else {
            stream(loaded, PromptRows.ofText(source.prompt, chat), options);
        }
        return 0;
    }

    private void printAll(LanguageModel loaded, List<Prompt> prompts, GenerationOptions options) {
        // What is drawn depends on a prompt's place in its call.
        int step = options.sampling().isGreedy() ? BATCHES_A_CALL * options.batchSize() : prompts.size();
        for (int from = 0; from < prompts.size(); from += step) {
            List<Prompt> some = prompts.subList(from, Math.min(prompts.size(), from + step));
            for (Completion completion : loaded.generate(some, options)) {
                console().print(row(completion));
            }
        }
    }

    private ObjectNode row(Completion completion) {
        ObjectNode row = CommandJson.MAPPER.createObjectNode().put("text", completion.text()).put("finish_reason",
                completion.stopReason() == Completion.StopReason.LENGTH ? "length" : "stop");
        if (answer.isConstrained()) {
            row.put("follows_constraint", completion.followsConstraint());
        }
        if (withIds) {
            IntStream.of(completion.ids()).forEach(row.putArray("ids")::add);
        }
        if (completion.probabilities().isEmpty()) {
            return row;
        }
        ArrayNode tokens = row.putArray("tokens");
        for (TokenProbability token : completion.probabilities()) {
            ArrayNode mostLikely = tokens.addObject().put("id", token.id()).put("text", token.text())
                    .put("log_prob", token.logProbability()).putArray("most_likely");
            token.mostLikely().forEach(other -> mostLikely.addObject().put("id", other.id())
                    .put("text", other.text()).put("log_prob", other.logProbability()));
        }
        return row;
    }

    private void stream(LanguageModel loaded, Prompt prompt, GenerationOptions options) {
        Console console = console();
        Completion completion = loaded.generate(List.of(prompt), options.withListener((index, piece) -> {
            console.out().print(piece);
            return !console.out().checkError();
        })).get(0);
        console.out().println();
        console.checkOut();
        answer.cut(completion).ifPresent(cut -> console.say("warning: the answer is %s", cut));
    }
}
