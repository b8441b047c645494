package io.peft4j.serve.answer.internal;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.models.BaseModel;
import io.peft4j.serve.http.internal.ApiException;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;

/**
 * How short the vectors of a model may be cut. Where {@code config.json} has {@code is_matryoshka} or {@code
 * matryoshka_dimensions}, the model was trained so that the beginning of a vector stands for the whole
 * (<a href="https://arxiv.org/abs/2205.13147">2205.13147</a>); of all others a part is of no known use.
 *
 * @param any whether to any length
 * @param lengths to which ones
 */
record VectorLength(boolean any, Set<Integer> lengths) {
    static VectorLength of(LanguageModel model) {
        if (!(model instanceof BaseModel base)) {
            return new VectorLength(false, Set.of());
        }
        JsonNode config = base.config().values();
        Set<Integer> lengths = new TreeSet<>();
        config.path("matryoshka_dimensions").forEach(length -> lengths.add(length.asInt()));
        return new VectorLength(config.path("is_matryoshka").asBoolean() && lengths.isEmpty(), lengths);
    }

    /**
     * A vector of the wanted length; where it was cut, with norm 1.
     *
     * @throws ApiException when the model gives none of that length
     */
    float[] cut(float[] vector, int wanted) {
        if (wanted == vector.length) {
            return vector;
        }
        if (wanted > vector.length || !any && !lengths.contains(wanted)) {
            throw ApiException.invalid("dimensions", "'dimensions' is " + wanted + ", but the vectors of this model "
                    + "have " + vector.length + " numbers" + (any ? " or fewer" : lengths.isEmpty()
                            ? ", and it says nothing of shorter ones" : " or " + lengths));
        }
        float[] part = Arrays.copyOf(vector, wanted);
        double squares = 0;
        for (float value : part) {
            squares += (double) value * value;
        }
        for (int i = 0; i < wanted && squares > 0; i++) {
            part[i] /= (float) Math.sqrt(squares);
        }
        return part;
    }
}
