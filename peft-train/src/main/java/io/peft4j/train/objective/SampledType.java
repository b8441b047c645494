package io.peft4j.train.objective;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.io.Sha256;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.grader.GraderTools;
import io.peft4j.data.grader.Graders;
import io.peft4j.data.grader.Grading;
import io.peft4j.data.task.AnswerGroup;
import io.peft4j.data.task.RowKind;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** {@link SampledObjective} by its name. */
abstract class SampledType extends GroupObjective.Type {
    private static final SamplingOptions USUAL = SamplingOptions.defaults();
    private static final ObjectiveOption<Path> GRADER = ObjectiveOption.optional("grader", Path.class, "FILE",
            "what grades the model's answers, as OpenAI's JSON object");
    private static final ObjectiveOption<Integer> GROUP = new ObjectiveOption<>("group-size", Integer.class, "N",
            "answers to each prompt", Optional.of(USUAL.groupSize()));
    private static final ObjectiveOption<Double> HEAT = ObjectiveOption.number("sampling-temperature", "T",
            "the temperature of these answers", USUAL.temperature());
    private static final ObjectiveOption<Double> TOP_P = ObjectiveOption.number("sampling-top-p", "P",
            "their tokens are drawn from the likeliest of this probability", USUAL.topP());

    private static final ObjectiveOption<String> COLLAPSE = ObjectiveOption.word("on-collapse", "end|warn",
            "what happens where the reward falls far, or answers grow until they are cut", "end");

    SampledType(GroupOptions usual) {
        super(usual, RowKind.PROMPTS, "prompts that the model answers, with a grader", GRADER, GROUP, HEAT, TOP_P,
                COLLAPSE);
    }

    private static SamplingOptions sampling(ObjectiveValues values) {
        return USUAL.withGroupSize(values.get(GROUP)).withTemperature(values.get(HEAT)).withTopP(values.get(TOP_P))
                .withEndsOnCollapse(oneOf(values.get(COLLAPSE), "answer to a collapse", "end", "warn"));
    }

    /** For what is to be known before there is a grader. */
    @Override
    protected final Function<LanguageModel, Objective<AnswerGroup>> objective(ObjectiveValues values) {
        GroupOptions options = options(values);
        SamplingOptions sampling = sampling(values);
        return model -> new SampledObjective(new GroupObjective(model, options), Grading.by((item, answer) -> 0),
                sampling, Optional.empty());
    }

    @Override
    public final Function<ObjectiveModels, Objective<AnswerGroup>> with(ObjectiveValues values) {
        GroupOptions options = options(values);
        SamplingOptions sampling = sampling(values);
        return models -> {
            Path file = values.find(GRADER).orElseThrow(() -> new ConfigurationException("the rows have prompts "
                    + "without \"samples\": a grader is needed for the answers of the model; give one, or rows with "
                    + "\"samples\""));
            boolean held = options.beta() > 0 && options.reference() == Reference.START;
            return new SampledObjective(new GroupObjective(models.trained(), options),
                    Grading.by(Graders.read(file, new InProcess(models))), sampling.withGrader(hash(file)),
                    held ? Optional.of(copy(models)) : Optional.empty());
        };
    }

    private static String hash(Path file) {
        try {
            return new Sha256().add(Files.readAllBytes(file)).hex();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }

    /** The model as it is now, with an adapter of its own. */
    private static LanguageModel copy(ObjectiveModels models) {
        try {
            Path folder = Files.createTempDirectory("peft4j-start");
            models.trained().saveAdapter(folder);
            LanguageModel start = models.open(Optional.empty(), Optional.of(folder));
            AtomicFiles.delete(folder);
            return start;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot copy the adapter as it starts: " + e.getMessage(), e);
        }
    }

    /** Graders ask models of this process, which are loaded by the names that they have there. */
    private static final class InProcess implements GraderTools {
        private static final int MOST_TOKENS = 256;

        private final ObjectiveModels models;
        private final Map<String, LanguageModel> open = new HashMap<>();

        InProcess(ObjectiveModels models) {
            this.models = models;
        }

        private synchronized LanguageModel model(String name) {
            return open.computeIfAbsent(name, key -> models.open(Optional.of(key), Optional.empty()));
        }

        @Override
        public String answer(String model, List<ChatMessage> messages, Map<String, Object> schema) {
            String text = model(model).generate(List.of(Prompt.chat(messages)), GenerationOptions.defaults()
                    .withMaxNewTokens(MOST_TOKENS)).get(0).text();
            int begin = text.indexOf('{');
            int end = text.lastIndexOf('}');
            return begin >= 0 && end > begin ? text.substring(begin, end + 1) : text;
        }

        @Override
        public List<float[]> embed(List<String> texts) {
            return NONE.embed(texts);
        }
    }

    /** Registered as {@code grpo}. */
    public static final class Grpo extends SampledType {
        /** What is registered. */
        public Grpo() {
            super(GroupOptions.grpo());
        }
    }

    /** Registered as {@code rloo}. */
    public static final class Rloo extends SampledType {
        /** What is registered. */
        public Rloo() {
            super(GroupOptions.rloo());
        }
    }
}
