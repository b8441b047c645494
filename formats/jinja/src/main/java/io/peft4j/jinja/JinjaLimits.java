package io.peft4j.jinja;

/**
 * What one rendering may use before it ends in a {@link JinjaException}. A template comes with a checkpoint and
 * is not trusted.
 *
 * @param maxSteps evaluated nodes, handled list elements and, at 64 to a step, handled characters
 * @param maxOutput characters of the output and of any single string
 * @param maxDepth nested expressions, blocks and macro calls together
 */
public record JinjaLimits(long maxSteps, int maxOutput, int maxDepth) {
    /** 5 million steps, 32 million characters, depth 400: far more than any conversation that fits a model needs. */
    public static final JinjaLimits DEFAULT = new JinjaLimits(5_000_000, 32_000_000, 400);

    /**
     * Checks the limits.
     *
     * @throws IllegalArgumentException if one of them is not positive
     */
    public JinjaLimits {
        if (maxSteps < 1 || maxOutput < 1 || maxDepth < 1) {
            throw new IllegalArgumentException("template limits must be positive, but are " + maxSteps + " steps, "
                    + maxOutput + " characters and depth " + maxDepth);
        }
    }
}
