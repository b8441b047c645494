package io.peft4j.core.model;

/** Follows generation while it runs. */
@FunctionalInterface
public interface GenerationListener {
    /** Hears nothing and never stops. */
    GenerationListener NONE = (prompt, piece) -> true;

    /**
     * A piece of an answer: whole characters only, empty when a token completed none.
     *
     * @param prompt index of the answer: of the prompt, where each prompt has one answer
     * @param piece the new text
     * @return false to cancel everything that still runs
     */
    boolean onText(int prompt, String piece);
}
