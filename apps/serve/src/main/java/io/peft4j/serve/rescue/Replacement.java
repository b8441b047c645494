package io.peft4j.serve.rescue;

import io.peft4j.core.decision.DecisionRequest;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.Count;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.task.DecisionModel;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.data.ChatEncoder;
import io.peft4j.data.task.DecisionSource;
import io.peft4j.models.BaseModel;
import io.peft4j.serve.job.Tuning;
import io.peft4j.train.RunStart;
import io.peft4j.train.Trainer;
import io.peft4j.train.TrainerBuilder;
import io.peft4j.train.objective.DecisionObjective;
import io.peft4j.train.objective.DecisionOptions;
import io.peft4j.train.objective.DpoObjective;
import io.peft4j.train.plan.DataFacts;
import io.peft4j.train.plan.Hyperparameters;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;

/** The model that takes the place of a tuned one. */
final class Replacement implements AutoCloseable {
    private static final long SEED = 0;
    private static final int CHOOSER_RANK = 16;

    private final PeftModel model;
    private final Optional<DecisionModel> chooses;

    private Replacement(PeftModel model, boolean chooses) {
        this.model = model;
        this.chooses = chooses ? Optional.of(new DecisionModel(model)) : Optional.empty();
    }

    /**
     * Trains it, resumes where that was stopped, or loads it if it exists.
     *
     * @param chooses whether it chooses between the answers that were learned, rather than write them
     */
    static Replacement train(BaseModel base, TunedModel tuned, RescueData data, Path folder, boolean chooses,
            Rescue.Listener listener) {
        if (Files.isRegularFile(folder.resolve("adapter_config.json"))
                && Files.isRegularFile(folder.resolve("adapter_model.safetensors"))) {
            return new Replacement(PeftModel.load(base, folder), chooses);
        }
        if (chooses) {
            return chooser(base, tuned, data, folder, listener);
        }
        boolean preferences = !data.preferences().isEmpty();
        ChatTemplate template = base.chatTemplate().orElseThrow(() -> new ConfigurationException(
                base.network().description().name() + " has no chat template"));
        List<TokenSequence> encoded = new ChatEncoder(base.tokenizer(), template).encode(preferences
                ? RescueData.chats(data.preferences()) : data.chats(), base.network().description().maxPositions())
                .sequences();
        Hyperparameters chosen = Tuning.choose(DataFacts.of(encoded), base,
                preferences ? Optional.of(new DpoObjective(base)) : Optional.empty(), tuned.epochs(),
                tuned.batchSize(), tuned.learningRateMultiplier());
        listener.say(tuned.name() + ": trains " + Count.of(data.rows(), "row") + ", "
                + (chosen.learnedShare() > 0 ? "at most " : "") + Count.of(chosen.epochs(), "epoch"));
        PeftModel model = PeftModel.of(base, Tuning.adapter(chosen.rank()), new SplittableRandom(SEED));
        boolean complete = false;
        try {
            TrainerBuilder trainer = Trainer.builder(model).hyperparameters(chosen).seed(SEED)
                    .output(folder).start(RunStart.RESUME_OR_START);
            if (preferences) {
                trainer.build().train(new DpoObjective(model), data.preferences());
            } else {
                trainer.build().train(encoded);
            }
            complete = true;
            return new Replacement(model, false);
        } finally {
            if (!complete) {
                model.close();
            }
        }
    }

    /** One that chooses. The job's epochs and rate were for writing answers, so the rules choose these. */
    private static Replacement chooser(BaseModel base, TunedModel tuned, RescueData data, Path folder,
            Rescue.Listener listener) {
        PeftModel model = PeftModel.of(base, Tuning.adapter(CHOOSER_RANK), new SplittableRandom(SEED));
        boolean complete = false;
        try {
            listener.say(tuned.name() + ": trains to choose between " + data.choice().orElseThrow().options().size()
                    + " answers on " + Count.of(data.rows(), "row"));
            Trainer.builder(model).seed(SEED).output(folder).start(RunStart.RESUME_OR_START).build()
                    .train(new DecisionObjective<>(model, DecisionSource.CHATS, DecisionOptions.DEFAULT),
                            data.chats().examples());
            Replacement replacement = new Replacement(model, true);
            complete = true;
            return replacement;
        } finally {
            if (!complete) {
                model.close();
            }
        }
    }

    /** Answers as they are recorded. */
    RecordedAnswers.Source answers(int maxNewTokens) {
        return (question, sample) -> {
            long begin = System.nanoTime();
            String text = chooses.isPresent() ? choice(question)
                    : model.generate(List.of(Prompt.chat(question)), options(maxNewTokens, sample)).get(0).text();
            return new RecordedAnswers.Answer(text.strip(), (System.nanoTime() - begin) / 1e9);
        };
    }

    /** The likeliest answer to each question. */
    List<String> answers(List<List<ChatMessage>> questions, int maxNewTokens) {
        return chooses.isPresent() ? questions.stream().map(this::choice).toList()
                : model.generate(questions.stream().map(Prompt::chat).toList(), options(maxNewTokens, 0)).stream()
                        .map(completion -> completion.text().strip()).toList();
    }

    /** The likeliest of the answers that were learned. */
    private String choice(List<ChatMessage> question) {
        DecisionModel decisions = chooses.orElseThrow();
        return decisions.decide(new DecisionRequest(DecisionSource.state(question), Map.of("answer",
                decisions.settings().plainQuestion().orElseThrow()))).answers().get("answer").choice();
    }

    private static GenerationOptions options(int maxNewTokens, int sample) {
        GenerationOptions options = GenerationOptions.defaults().withMaxNewTokens(maxNewTokens);
        return sample == 0 ? options : options.withSampling(RescueOptions.TEMPERATURE, 0, 1, sample);
    }

    @Override
    public void close() {
        model.close();
    }
}
