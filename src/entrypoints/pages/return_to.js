const LONGEST = 2048;
const ENCODED = /%([0-9a-f]{2})/gi;

/** The target, if it can only lead to our own origin; else null. The same rule as in http/return_to.py, where it is told. */
export function pathOfOurs(target) {
  if (target.length > LONGEST || !/^\/[!-\[\]-~]*$/.test(target)) return null;
  const decoded = target.split(/[?#]/)[0].replace(ENCODED, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
  if (decoded.startsWith("//") || /[\x00-\x1f\x7f\\]/.test(decoded) || decoded.search(ENCODED) >= 0) return null;
  return decoded.split("/").some((segment) => segment === "." || segment === "..") ? null : target;
}
