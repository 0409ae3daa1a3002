#!/bin/sh
# Makes every prompt of this folder from texts.tsv, and the music. Needs espeak-ng and sox.
# The same versions of both give the same bytes. 8 kHz, one channel, 16 bit: what the switch plays.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Speech: silence cut at both ends, a breath left after, all at one loudness.
speak() {
    name=$1 voice=$2 text=$3
    case $voice in
        en) espeak-ng -v en-us -s 155 -w "$work/speech.wav" "$text" ;;
        zh) espeak-ng -v cmn-latn-pinyin -s 140 -w "$work/speech.wav" "$text" ;;
        *) echo "no voice $voice for $name" >&2; exit 1 ;;
    esac
    mkdir -p "$(dirname "$name")"
    sox -D "$work/speech.wav" -r 8000 -c 1 -b 16 "$name.wav" \
        silence 1 0.01 0.4% reverse silence 1 0.01 0.4% reverse gain -n -4 pad 0.02 0.06
}

tab=$(printf '\t')
grep -v '^#' texts.tsv | while IFS="$tab" read -r name voice text; do
    speak "$name" "$voice" "$text"
done

# Music: eight chords of eight plucked notes over a soft bass, 19.2 seconds that join at the ends.
# A chord is four notes in hertz; the arpeggio goes 1 2 3 4 3 2 3 2.
n=0
layers=''
while read -r bass a b c d; do
    notes=''
    i=0
    for f in "$a" "$b" "$c" "$d" "$c" "$b" "$c" "$b"; do
        i=$((i + 1))
        sox -D -n -r 8000 -c 1 -b 16 "$work/n$n.$i.wav" synth 0.3 pluck "$f" fade t 0.004 0.3 0.08 gain -6
        notes="$notes $work/n$n.$i.wav"
    done
    # shellcheck disable=SC2086
    sox -D $notes "$work/arpeggio$n.wav"
    sox -D -n -r 8000 -c 1 -b 16 "$work/bass$n.wav" synth 2.4 triangle "$bass" fade t 0.08 2.4 0.5 gain -16
    sox -D -m -v 1 "$work/arpeggio$n.wav" -v 1 "$work/bass$n.wav" "$work/bar$n.wav"
    layers="$layers $work/bar$n.wav"
    echo "$layers" > "$work/layers"
    n=$((n + 1))
done <<CHORDS
130.81 261.63 329.63 392.00 523.25
123.47 246.94 293.66 392.00 493.88
110.00 220.00 261.63 329.63 440.00
98.00 196.00 246.94 329.63 392.00
87.31 174.61 220.00 261.63 349.23
130.81 196.00 261.63 329.63 392.00
146.83 220.00 261.63 349.23 440.00
98.00 196.00 246.94 293.66 392.00
CHORDS
# shellcheck disable=SC2046
sox -D $(cat "$work/layers") -b 16 music.wav lowpass 3000 gain -n -14
