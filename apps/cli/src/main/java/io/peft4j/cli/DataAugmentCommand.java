package io.peft4j.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.Count;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.augment.Augmentation;
import io.peft4j.data.augment.NearUnknowns;
import io.peft4j.data.example.ChatExample;
import io.peft4j.models.BaseModel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code peft4j data augment}: more wordings of each question. */
@Command(name = "augment", sortOptions = false, description = {"Adds paraphrases of each question, by rules "
        + "(English) and, with --model, by a model, for data with few examples.",
    "A paraphrase is kept if it keeps every name and number of the question and is not a held-out question. Answers "
            + "are unchanged; new rows carry \"generated\": \"rule\" or \"model\"."})
final class DataAugmentCommand extends PeftCommand {
    @Parameters(paramLabel = "FILE", description = "The data, questions with their answers.")
    private Path data;

    @Mixin
    private RowsOutput output;

    @Option(names = "--per-example", paramLabel = "N", defaultValue = "4", description = "Most paraphrases of a "
            + "question. Default: ${DEFAULT-VALUE}")
    private int perExample;

    @Option(names = "--hold-out", paramLabel = "FILE", description = "Held-out data whose questions must not be "
            + "generated. "
            + "May be given several times.")
    private List<Path> heldOut = List.of();

    @Option(names = "--unknown", paramLabel = "N", description = "Adds at most N rows that ask for another role, name, "
            + "thing or number than the rows do and say that it is not known, against invented answers. Paraphrases "
            + "are only written with --per-example or --model, too.")
    private Integer unknown;

    @Option(names = "--unknown-answer", paramLabel = "TEXT", description = "What these rows say. Default: \"The "
            + "handbook does not say that.\", in the language of the row")
    private String unknownAnswer;

    @Option(names = "--model", paramLabel = "ID|DIR|FILE.gguf", description = "A chat model that also writes "
            + "paraphrases.")
    private String model;

    @Option(names = "--temperature", paramLabel = "X", defaultValue = "0.8", description = "Its sampling temperature. "
            + "Default: ${DEFAULT-VALUE}")
    private double temperature;

    @Mixin
    private SeedOption seed;

    @Option(names = "--new-only", description = "Writes only the paraphrases.")
    private boolean newOnly;

    @Mixin
    private DataInput input;

    @Mixin
    private EngineOptions engine;

    @Option(names = "--json", description = "Prints {\"examples\", \"by_rule\", \"by_model\"}, with "
            + "--unknown also \"unknown\".")
    private boolean json;

    @Override
    public Integer call() {
        requireWith("--model",
                List.of("--temperature", "--seed", "--dtype", "--threads", "--chat-template", "--tool-form"));
        requireWith("--unknown", List.of("--unknown-answer"));
        if (unknown != null && unknown < 1) {
            throw usage("--unknown must be at least 1, got " + unknown);
        }
        Augmentation augmentation = fromOptions(() -> new Augmentation(perExample));
        GenerationOptions options = fromOptions(() -> GenerationOptions.defaults().withSampling(temperature, 0, 0.95,
                seed.value()));
        Path target = output.choose(Stream.concat(Stream.of(data), heldOut.stream()).toList());
        List<ChatExample> examples = DataInput.chats(input.file(data));
        List<ChatExample> held = heldOut.stream().flatMap(file -> DataInput.chats(input.file(file)).stream()).toList();
        augmentation.holdingOut(held);
        List<ChatExample> written = unknown == null || model != null || isGiven("--per-example")
                ? write(augmentation, options, examples) : List.of();
        List<ChatExample> unanswered = unanswered(examples, held);
        List<ChatExample> all = new ArrayList<>(newOnly ? List.of() : examples);
        all.addAll(written);
        all.addAll(unanswered);
        RowsOutput.write(output.open(target), all);
        long byModel = written.stream().filter(e -> e.extra().get(Augmentation.MARK).equals("model")).count();
        if (json) {
            ObjectNode line = CommandJson.MAPPER.createObjectNode().put("examples", examples.size())
                    .put("by_rule", written.size() - byModel).put("by_model", byModel);
            console().print(unknown == null ? line : line.put("unknown", unanswered.size()));
        } else {
            if (unknown != null) {
                console().say("%s of %d that say that it is not known%s", Count.of(unanswered.size(), "row"), unknown,
                        unanswered.isEmpty() ? ": " + NearUnknowns.NONE : "");
            }
            console().say("%s, %s by rules and %d by the model; %s in %s",
                    Count.of(examples.size(), "example"), Count.of(written.size() - byModel, "paraphrase"), byModel,
                    Count.of(all.size(), "row"), target);
        }
        return 0;
    }

    private List<ChatExample> unanswered(List<ChatExample> examples, List<ChatExample> held) {
        return unknown == null ? List.of() : new NearUnknowns(examples, held.stream().flatMap(row -> row.messages()
                .stream().map(ChatMessage::content)).toList()).rows(unknown, Optional.ofNullable(unknownAnswer));
    }

    private List<ChatExample> write(Augmentation augmentation, GenerationOptions options, List<ChatExample> examples) {
        if (model == null) {
            return augmentation.of(examples);
        }
        try (BaseModel base = engine.load(model, console());
                TerminalProgress progress = TerminalProgress.of(console(), "asking", 0, examples.size())) {
            return augmentation.with(base, options).listener(done -> progress.to(done, "")).of(examples);
        }
    }
}
