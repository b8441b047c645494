/**
 * The texts within further fields of an example: {@link io.peft4j.data.pii.internal.FieldTexts}.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.data.pii.internal;
