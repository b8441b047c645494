/**
 * Whether to fine-tune at all: the base as it is, the best prompts and short trainings on the same held-out items. Open
 * {@link io.peft4j.advise.FineTuningAdvisor} first.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.advise;
