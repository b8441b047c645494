package io.peft4j.train;

/** What a training does about one that its output folder holds already. */
public enum RunStart {
    /** Begins; a folder that holds a training is refused. */
    NEW,
    /**
     * Goes on from the last intact checkpoint; a folder without one is refused. A training that has come to its end,
     * and might have learned more, goes on from before its rate fell ({@link TrainingOptions.Setters#learnedShare}).
     */
    RESUME,
    /** Goes on where there is a training to go on with, and begins where there is none. */
    RESUME_OR_START
}
