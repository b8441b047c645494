package io.peft4j.data.near;

/**
 * A word of a text as comparisons see it.
 *
 * @param norm in lower case, without accents; a number in one spelling
 * @param stem without endings of inflection
 * @param number whether it is a number, or holds a digit as names of products do
 * @param capital whether it is written with a capital letter
 * @param initial whether it begins a sentence
 */
record Word(String norm, String stem, boolean number, boolean capital, boolean initial) {
}
