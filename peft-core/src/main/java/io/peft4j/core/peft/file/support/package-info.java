/**
 * What the files of an adapter say of the model that it was trained on: open
 * {@link io.peft4j.core.peft.file.support.AdapterProvenance} first.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.core.peft.file.support;
