/**
 * What the files of an adapter say. Open {@link io.peft4j.core.peft.file.support.AdapterSummary} first, which reads a
 * folder without its base model, then {@link io.peft4j.core.peft.file.support.AdapterProvenance}: the model that the
 * adapter was trained on.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.core.peft.file.support;
