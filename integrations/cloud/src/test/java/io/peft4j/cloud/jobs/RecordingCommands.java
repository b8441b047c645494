package io.peft4j.cloud.jobs;

import io.peft4j.train.TrainingListener;
import java.io.PrintWriter;
import java.util.List;
import java.util.Map;

/** Notes what it is asked to run, and says that it failed. */
class RecordingCommands implements JobCommands {
    private List<String> words = List.of();

    @Override
    public Map<String, Form> options() {
        return Map.of("model", Form.VALUE, "data", Form.VALUE, "validation", Form.VALUE, "output", Form.VALUE, "epochs",
                Form.VALUE, "learning-rate", Form.VALUE, "no-shuffle", Form.FLAG, "tracker", Form.LIST, "objective",
                Form.VALUE, "checkpoint-steps", Form.VALUE);
    }

    @Override
    public Outcome train(List<String> all, TrainingListener listener) {
        words = List.copyOf(all);
        return new Outcome(1, "not trained");
    }

    @Override
    public Outcome evaluate(List<String> all, PrintWriter out) {
        throw new AssertionError("nothing was trained");
    }

    /** The words of the training. */
    List<String> words() {
        return words;
    }
}
