/**
 * More wordings of the questions of a small set. Open {@link io.peft4j.data.augment.Augmentation} first.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.data.augment;
