package io.peft4j.serve.rescue;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.Count;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.data.ChatEncoder;
import io.peft4j.models.BaseModel;
import io.peft4j.serve.job.internal.Tuning;
import io.peft4j.train.RunStart;
import io.peft4j.train.Trainer;
import io.peft4j.train.TrainerBuilder;
import io.peft4j.train.objective.DpoObjective;
import io.peft4j.train.plan.DataFacts;
import io.peft4j.train.plan.Hyperparameters;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;

/** The model that takes the place of a tuned one. */
final class Replacement implements AutoCloseable {
    private static final long SEED = 0;

    private final PeftModel model;

    private Replacement(PeftModel model) {
        this.model = model;
    }

    /** Trains it, goes on where that was stopped, or loads it where it is there. */
    static Replacement train(BaseModel base, TunedModel tuned, RescueData data, Path folder, Rescue.Listener listener) {
        if (Files.isRegularFile(folder.resolve("adapter_config.json"))
                && Files.isRegularFile(folder.resolve("adapter_model.safetensors"))) {
            return new Replacement(PeftModel.load(base, folder));
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
                + Count.of(chosen.epochs(), "epoch"));
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
            return new Replacement(model);
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
            String text = model.generate(List.of(Prompt.chat(question)), options(maxNewTokens, sample)).get(0).text();
            return new RecordedAnswers.Answer(text.strip(), (System.nanoTime() - begin) / 1e9);
        };
    }

    /** The likeliest answer to each question. */
    List<String> answers(List<List<ChatMessage>> questions, int maxNewTokens) {
        return model.generate(questions.stream().map(Prompt::chat).toList(), options(maxNewTokens, 0)).stream()
                .map(completion -> completion.text().strip()).toList();
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
