package io.peft4j.data;

/**
 * The parts of a data set.
 *
 * @param train what is learned from
 * @param test what is held out
 */
public record Split(ChatDataset train, ChatDataset test) {
}
