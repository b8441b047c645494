/**
 * Mends data: steps with a name, each of which says what it did. Open {@link io.peft4j.data.clean.DataPipeline} and
 * {@link io.peft4j.data.clean.CleaningStep} first.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.data.clean;
