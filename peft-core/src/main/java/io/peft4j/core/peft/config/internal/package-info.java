/**
 * JSON in the layout of Hugging Face PEFT ({@link io.peft4j.core.peft.config.internal.ConfigJson}) and Python's regular
 * expressions over paths ({@link io.peft4j.core.peft.config.internal.PathPattern}), for this module alone.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.core.peft.config.internal;
