package io.peft4j.spark;

import io.peft4j.core.model.LanguageModel;
import io.peft4j.data.format.DataRow;
import java.io.Serializable;
import java.util.List;

/**
 * What is done with rows, many at once.
 *
 * @param <T> what a row asks for
 */
interface BatchWork<T> extends Serializable {
    /**
     * What a row asks for.
     *
     * @throws io.peft4j.core.error.PeftException when it is wrong
     */
    T input(LanguageModel model, DataRow row);

    /**
     * The values of the new columns for each input.
     *
     * @throws io.peft4j.core.error.PeftException when one of them is wrong; then they are tried one by one
     */
    List<List<Object>> results(LanguageModel model, List<T> inputs);
}
