package io.peft4j.examples;

import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.ChatDataset;
import io.peft4j.eval.task.EvaluationData;
import io.peft4j.feedback.FeedbackStore;
import io.peft4j.feedback.FeedbackTuner;
import io.peft4j.models.BaseModel;
import io.peft4j.train.TrainingOptions;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * A help desk that learns from its users. Each line of the standard input is a question; one that begins with {@code !}
 * is the right answer to the question before. Arguments: the model, the adapter that answers, the rows that it learned,
 * questions that it must go on answering, and a folder for feedback and versions.
 */
public final class LearnFromFeedback {
    private LearnFromFeedback() {
    }

    /** Runs the program. */
    public static void main(String[] args) throws IOException {
        Path folder = Path.of(args[4]);
        try (BaseModel base = BaseModel.load(args[0]);
                PeftModel model = new PeftModel(base).loadAdapter("desk", Path.of(args[1]));
                FeedbackStore feedback = FeedbackStore.open(folder.resolve("feedback.jsonl"));
                FeedbackTuner tuner = FeedbackTuner.builder(model, "desk", feedback, folder.resolve("versions"))
                        .replaying(ChatDataset.read(Path.of(args[2]))).golden(EvaluationData.read(Path.of(args[3])))
                        .minimum(20).timeBudget(Duration.ofMinutes(30)).withoutGuard() // the golden ones are its job
                        .training(TrainingOptions.builder().epochs(14).learningRate(5e-3).build()).build();
                BufferedReader users = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            String last = "";
            for (String line = users.readLine(); line != null; line = users.readLine()) {
                if (line.startsWith("!")) {
                    feedback.correct(last, line.substring(1).strip());
                } else {
                    String answer = model.with("desk").generate(line);
                    last = feedback.answered(List.of(ChatMessage.user(line)), answer);
                    System.out.println(answer);
                }
            }
            System.out.println(tuner.run()); // a service would say tuner.every(Duration.ofHours(6))
        }
    }
}
