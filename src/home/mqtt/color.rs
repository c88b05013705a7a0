//! Colours from one way of writing them to another: sRGB with white at D65.

/// Hue in degrees and saturation in per cent.
pub(super) fn to_hs([r, g, b]: [u8; 3]) -> (f64, f64) {
    let [r, g, b] = [r, g, b].map(|part| f64::from(part) / 255.0);
    let (high, low) = (r.max(g).max(b), r.min(g).min(b));
    let range = high - low;
    if range == 0.0 {
        return (0.0, 0.0);
    }
    let sector = if high == r {
        ((g - b) / range).rem_euclid(6.0)
    } else if high == g {
        (b - r) / range + 2.0
    } else {
        (r - g) / range + 4.0
    };
    ((sector * 60.0 * 100.0).round() / 100.0, (range / high * 10_000.0).round() / 100.0)
}

/// The brightest colour of this hue and saturation.
pub(super) fn from_hs(hue: f64, saturation: f64) -> [u8; 3] {
    let saturation = (saturation / 100.0).clamp(0.0, 1.0);
    [5.0, 3.0, 1.0].map(|offset: f64| {
        let k = (offset + hue / 60.0).rem_euclid(6.0);
        let fade = k.min(4.0 - k).clamp(0.0, 1.0);
        ((1.0 - saturation * fade) * 255.0).round() as u8
    })
}

/// The chromaticity of a colour, with four digits.
pub(super) fn to_xy(rgb: [u8; 3]) -> (f64, f64) {
    let [r, g, b] = rgb.map(|part| {
        let part = f64::from(part) / 255.0;
        if part > 0.040_45 { ((part + 0.055) / 1.055).powf(2.4) } else { part / 12.92 }
    });
    let x = 0.4124 * r + 0.3576 * g + 0.1805 * b;
    let y = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    let z = 0.0193 * r + 0.1192 * g + 0.9505 * b;
    let sum = x + y + z;
    if sum == 0.0 {
        return (0.3127, 0.3290);
    }
    let short = |value: f64| (value * 10_000.0).round() / 10_000.0;
    (short(x / sum), short(y / sum))
}

/// The brightest colour of this chromaticity that a screen has.
pub(super) fn from_xy(x: f64, y: f64) -> [u8; 3] {
    if !(y > 0.0 && x >= 0.0 && x + y <= 1.0) {
        return [255, 255, 255];
    }
    let (big_x, big_z) = (x / y, (1.0 - x - y) / y);
    let linear = [
        3.2406 * big_x - 1.5372 - 0.4986 * big_z,
        -0.9689 * big_x + 1.8758 + 0.0415 * big_z,
        0.0557 * big_x - 0.2040 + 1.0570 * big_z,
    ];
    let most = linear.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    linear.map(|part| {
        let part = (part / most).clamp(0.0, 1.0);
        let part =
            if part > 0.003_130_8 { 1.055 * part.powf(1.0 / 2.4) - 0.055 } else { 12.92 * part };
        (part * 255.0).round() as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_survive_both_ways() {
        for rgb in
            [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0], [255, 128, 0], [255, 255, 255]]
        {
            let (hue, saturation) = to_hs(rgb);
            let (x, y) = to_xy(rgb);
            for again in [from_hs(hue, saturation), from_xy(x, y)] {
                for (a, b) in again.iter().zip(rgb) {
                    assert!(a.abs_diff(b) <= 3, "{rgb:?} became {again:?}");
                }
            }
        }
        assert_eq!(to_hs([255, 0, 0]), (0.0, 100.0));
        assert_eq!(to_hs([0, 0, 255]), (240.0, 100.0));
        assert_eq!(from_xy(f64::NAN, 0.0), [255, 255, 255]);
    }
}
