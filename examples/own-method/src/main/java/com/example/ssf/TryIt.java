package com.example.ssf;

import io.peft4j.Peft4j;
import io.peft4j.core.model.SequenceScorer;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.config.TargetModules;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.ChatEncoder;
import io.peft4j.trackers.TrackingListener;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** Trains an adapter of the method, saves it, loads it again, and compares the two. */
public final class TryIt {
    private TryIt() {
    }

    /** Takes a file of chats and the folder that the adapter goes to. */
    public static void main(String[] arguments) {
        ChatDataset chats = Peft4j.chats(Path.of(arguments[0]));
        Path folder = Path.of(arguments[1]);
        SsfConfig config = SsfConfig.builder().targetModules(TargetModules.ALL_LINEAR).build();
        try (var base = Peft4j.load("tiny"); var model = base.withAdapter(config)) {
            System.out.println(model.trainableSummary());
            Path lines = Path.of(arguments[1] + "-lines.txt");
            TrackingListener tracking = new TrackingListener("ssf", List.of(new LineTracker(lines)));
            System.out.println(Peft4j.trainer(model).epochs(2).learningRate(1e-2).listener(tracking).build()
                    .train(new EqualAnswers(model, 1), chats.examples()));
            model.saveAdapter(folder);
            try (var loaded = base.withAdapter(folder)) {
                List<TokenSequence> some = chats.stream().limit(20).map(ChatEncoder.of(base)::encode).toList();
                boolean same = Arrays.equals(SequenceScorer.negativeLogLikelihoods(model, some),
                        SequenceScorer.negativeLogLikelihoods(loaded, some));
                System.out.println(same ? "loaded as it was trained" : "loaded, but not as it was trained");
            }
        }
    }
}
