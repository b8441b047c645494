package io.peft4j.cloud.jobs;

import io.peft4j.core.Internal;
import io.peft4j.train.TrainingListener;
import io.peft4j.train.TrainingResult;
import java.io.PrintWriter;
import java.util.List;
import java.util.Map;

/** The commands of the command line that a container runs. It asks for the names of the options, and has no list. */
@Internal(shared = true)
public interface JobCommands {
    /** How an option takes its value. */
    enum Form {
        /** It is given, or it is not. */
        FLAG,
        /** It has one value. */
        VALUE,
        /** It may be given repeatedly. */
        LIST
    }

    /**
     * What a command came to.
     *
     * @param status exit status; 0 is success
     * @param problem what went wrong, in one line; empty where nothing did
     * @param isStopped whether it was stopped, which is neither a success nor a failure
     */
    record Outcome(int status, String problem, boolean isStopped) {
        /** That of a command which ran to its end. */
        public Outcome(int status, String problem) {
            this(status, problem, false);
        }

        /** Whether it went well. */
        public boolean succeeded() {
            return status == 0;
        }

        /** That of a stopped training: it has not succeeded, though nothing is lost. */
        static Outcome stopped(TrainingResult result) {
            return new Outcome(1, "stopped: " + result + "; the adapter so far is saved, and the same job with the "
                    + "same checkpoints resumes from there", true);
        }
    }

    /** The options of {@code train}, by name without leading dashes. */
    Map<String, Form> options();

    /**
     * Runs {@code train}.
     *
     * @param words options and their values
     * @param listener follows the training
     */
    Outcome train(List<String> words, TrainingListener listener);

    /**
     * Runs {@code evaluate}.
     *
     * @param words options and their values
     * @param out gets what the command prints
     */
    Outcome evaluate(List<String> words, PrintWriter out);
}
