package io.peft4j.examples;

import static io.peft4j.core.peft.config.TargetModules.ALL_LINEAR;

import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.ChatEncoder;
import io.peft4j.data.example.ChatExample;
import io.peft4j.lora.LoraConfig;
import io.peft4j.models.BaseModel;
import io.peft4j.train.TokenLoss;
import io.peft4j.train.TrainingSession;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/**
 * Loops of one's own: expert iteration on the shortest answer to a question, and, with another adapter on the same base
 * in turn, a preference loss. Argument: a model.
 */
public final class OwnLoop {
    private static final String QUESTION = "Why is the sky blue?";

    private OwnLoop() {
    }

    /** Runs the program. */
    public static void main(String[] args) {
        LoraConfig config = LoraConfig.builder().rank(8).alpha(16).targetModules(ALL_LINEAR).build();
        try (BaseModel base = BaseModel.load(args[0])) {
            PeftModel expert = base.withAdapter(config);
            PeftModel judge = base.withAdapter(config);
            ChatEncoder encoder = ChatEncoder.of(base);
            List<TokenSequence> pair = List.of(encoder.encode(chat("Rayleigh scattering.")),
                    encoder.encode(chat("Because it reflects the sea.")));
            try (TrainingSession first = TrainingSession.of(expert);
                    TrainingSession second = TrainingSession.of(judge)) {
                for (int round = 0; round < 3; round++) {
                    String best = first.sample(List.of(Prompt.chat(List.of(ChatMessage.user(QUESTION)))),
                            GenerationOptions.defaults().withAnswers(4).withSampling(1, 0, 1, round)).stream()
                            .map(answer -> answer.text().strip()).filter(text -> !text.isEmpty())
                            .min(Comparator.comparing(String::length)).orElse("Rayleigh scattering.");
                    double loss = first.forwardBackward(List.of(encoder.encode(chat(best))), TokenLoss.crossEntropy());
                    first.step(1e-3);
                    double preference = second.forwardBackward(pair, OwnLoop::preferFirst);
                    second.step(1e-3);
                    System.out.printf(Locale.ROOT, "round %d: loss %.4f on \"%s\", preference %.4f%n", round, loss,
                            best,
                            preference);
                }
            }
        }
    }

    private static ChatExample chat(String answer) {
        return ChatExample.of(ChatMessage.user(QUESTION), ChatMessage.assistant(answer));
    }

    /** {@code log(1 + exp(m' - m))} of the mean log-probabilities of the first and the second answer. */
    private static double preferFirst(float[][] logProbabilities, float[][] gradient) {
        double margin = mean(logProbabilities[1]) - mean(logProbabilities[0]);
        double slope = 1 / (1 + Math.exp(-margin));
        for (int i = 0; i < 2; i++) {
            for (int t = 0; t < gradient[i].length; t++) {
                gradient[i][t] = (float) ((i == 0 ? -slope : slope) / gradient[i].length);
            }
        }
        return Math.log1p(Math.exp(margin));
    }

    private static double mean(float... values) {
        double sum = 0;
        for (float value : values) {
            sum += value;
        }
        return sum / values.length;
    }
}
