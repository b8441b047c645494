package io.peft4j.train;

/** What a training does about one that its output folder holds already. */
public enum RunStart {
    /** Begins; a folder that holds a training is refused. */
    NEW,
    /**
     * Resumes from the last intact checkpoint; a folder without one is refused. A training that has come to its end,
     * and might have learned more, resumes from before its rate fell ({@link TrainingOptions#learnedShare}).
     */
    RESUME,
    /** Resumes a training if there is one, else begins one. */
    RESUME_OR_START
}
