package io.peft4j.methods;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;

/** The wavelets that {@link WaveFtConfig} chooses from, with PyWavelets' coefficients: {@code wavelets.txt}. */
final class Wavelets {
    /** The low-pass filters of reconstruction by their names. */
    static final Map<String, double[]> FILTERS = read();

    private Wavelets() {
    }

    private static Map<String, double[]> read() {
        Map<String, double[]> filters = new LinkedHashMap<>();
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(
                Wavelets.class.getResourceAsStream("wavelets.txt"), StandardCharsets.US_ASCII))) {
            lines.lines().map(line -> line.split(" ")).forEach(line -> filters.put(line[0],
                    Stream.of(line).skip(1).mapToDouble(Double::parseDouble).toArray()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return Collections.unmodifiableMap(filters);
    }
}
