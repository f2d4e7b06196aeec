package main

import (
	"fmt"
	"strings"
)

// code makes up a piece of a program in a language.
func (g gen) code(lang string) string {
	var b strings.Builder
	for range 1 + g.IntN(3) {
		b.WriteString(g.fill(g.of(snippets[lang])))
		b.WriteByte('\n')
	}
	return b.String()
}

// fill puts names into a snippet: $a … $f are identifiers that stay the same
// within it, $A … $F the same as type names, $s a sentence, $w two words, $n a
// number, $p a path.
func (g gen) fill(snippet string) string {
	names := map[byte]string{}
	for c := byte('a'); c <= 'f'; c++ {
		names[c] = g.of(nouns)
		names[c-32] = cap1(g.of(nouns)) + g.of([]string{"", "", cap1(g.of(nouns))})
	}
	var b strings.Builder
	for i := 0; i < len(snippet); i++ {
		c := snippet[i]
		if c != '$' || i+1 == len(snippet) {
			b.WriteByte(c)
			continue
		}
		i++
		switch c = snippet[i]; c {
		case 's':
			b.WriteString(strings.ReplaceAll(g.sentence(), `"`, "'"))
		case 'w':
			b.WriteString(g.words(2))
		case 'n':
			fmt.Fprint(&b, g.between(1, 1000))
		case 'p':
			b.WriteString(g.path())
		case 'v':
			b.WriteString(g.of(verbs))
		default:
			if name, ok := names[c]; ok {
				b.WriteString(name)
			} else {
				b.WriteByte('$')
				b.WriteByte(c)
			}
		}
	}
	return b.String()
}

var snippets = map[string][]string{
	"go": {`package $a

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// $A $w $w.
type $A struct {
	mu     sync.Mutex
	$a   string
	$b   int
	$c  map[string]string
	$D   []byte ` + "`json:\"$d,omitempty\"`" + `
}
`, `// New$A returns a new $B. $s
func New$A($a string, $b *$B) (*$A, error) {
	if $a == "" {
		return nil, errors.New("$w")
	}
	return &$A{$a: $a, $b: $b}, nil
}
`, `func ($a *$A) $B(ctx context.Context, $c string) (*$C, error) {
	$a.mu.Lock()
	defer $a.mu.Unlock()

	$d, err := $a.$v$D(ctx, $c)
	if err != nil {
		return nil, fmt.Errorf("$w: %w", err)
	}
	for i, $e := range $d {
		if $e == nil {
			continue
		}
	}
	return $d, nil
}
`, `func Test$A(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		$a   string
		want    int
		wantErr bool
	}{
		{name: "$w", $a: "$b", want: $n},
		{name: "$w", wantErr: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := $B(tt.$a)
			if (err != nil) != tt.wantErr {
				t.Fatalf("$B() error = %v, wantErr %v", err, tt.wantErr)
			}
			if got != tt.want {
				t.Errorf("$B() = %v, want %v", got, tt.want)
			}
		})
	}
}
`, `	select {
	case <-ctx.Done():
		return ctx.Err()
	case $a := <-$b:
		if !ok {
			return nil
		}
	}
	if err := json.Unmarshal(data, &$c); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
`},
	"python": {`#!/usr/bin/env python3
"""$s"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List, Optional

logger = logging.getLogger(__name__)

`, `class $A($B):
    """$s"""

    def __init__(self, $a: str, $b: Optional[int] = None) -> None:
        self.$a = $a
        self.$b = $b
        self._$c: Dict[str, Any] = {}

    async def $v_$a(self, $d: str) -> List[str]:
        """$s

        Args:
            $d: $s

        Returns:
            $s
        """
        if not $d:
            raise ValueError(f"$w: {$d}")
        try:
            return await self.$v($d)
        except Exception as e:
            logger.error("$w: %s", e)
            return None
`, `def test_$a_$b($c):
    $d = $A($a="$b")
    result = $d.$v()
    assert result == $n
    assert len(result) > 0
    with pytest.raises(ValueError):
        $d.$v(None)

if __name__ == "__main__":
    main()
`, `@app.route("/api/$a/<int:$b_id>", methods=["GET", "POST"])
def $v_$a($b_id):
    for i, $c in enumerate($d):
        if $c.get("$e") is not None:
            print(f"{$c}: {i}")
    return jsonify({"status": "ok", "$a": $b}), 200
`},
	"typescript": {`import React, { useState, useEffect, useCallback } from 'react';
import { $A } from './$a';
import type { $B } from '../types';

export interface $A {
  id: string;
  $a: string;
  $b?: number;
  readonly $c: boolean;
  createdAt: Date;
}
`, `export async function $v$A($a: string, $b: $B): Promise<$C> {
  const response = await fetch(` + "`${baseUrl}/api/$a`" + `, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ $a, $b }),
  });
  if (!response.ok) {
    throw new Error(` + "`$w: ${response.status}`" + `);
  }
  return (await response.json()) as $C;
}
`, `export const $A: React.FC<Props> = ({ $a, on$B }) => {
  const [$b, set$B] = useState<string | null>(null);

  useEffect(() => {
    if (!$a) return;
    $v$A($a).then((result) => set$B(result)).catch(console.error);
  }, [$a]);

  return (
    <div className="$a-$b">
      <button type="button" onClick={() => on$B($b)} disabled={!$b}>
        {$b ?? '$w'}
      </button>
    </div>
  );
};

export default $A;
`, `describe('$A', () => {
  beforeEach(() => {
    jest.clearAllMocks();
  });

  it('should $w $w', async () => {
    const result = await $v$A('$a');
    expect(result).toEqual({ $a: '$b', $c: $n });
    expect(result.$d).toBeDefined();
  });
});
`},
	"javascript": {`const express = require('express');
const path = require('path');
const fs = require('fs');

const app = express();
app.use(express.json());

app.get('/$a/:id', async (req, res, next) => {
  try {
    const $b = await $A.findById(req.params.id);
    if (!$b) {
      return res.status(404).json({ error: '$w' });
    }
    res.json($b);
  } catch (err) {
    next(err);
  }
});

module.exports = { $a, $v$B };
`, `function $v$A($a, $b = {}) {
  const $c = Object.keys($b).filter((key) => key !== '$d');
  for (const key of $c) {
    $a[key] = $b[key];
  }
  return $a.map((x) => x.$e).join(', ');
}
`},
	"rust": {`use std::collections::HashMap;
use std::sync::Arc;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
pub struct $A {
    pub $a: String,
    pub $b: Option<u64>,
    $c: HashMap<String, Vec<u8>>,
}

impl $A {
    pub fn new($a: impl Into<String>) -> Self {
        Self { $a: $a.into(), $b: None, $c: HashMap::new() }
    }

    pub async fn $v_$a(&mut self, $d: &str) -> Result<(), Error> {
        let $e = self.$c.get($d).ok_or_else(|| Error::NotFound($d.to_string()))?;
        match $e.len() {
            0 => return Err(Error::Empty),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_$a() {
        assert_eq!($A::new("$b").$a, "$b");
    }
}
`},
	"java": {`package com.example.$a;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * $s
 */
public class $A implements $B {
    private static final Logger log = LoggerFactory.getLogger($A.class);
    private final String $a;

    public $A(String $a) {
        this.$a = $a;
    }

    @Override
    public Optional<$C> $v$C(final String $b) throws IOException {
        if ($b == null || $b.isEmpty()) {
            throw new IllegalArgumentException("$w");
        }
        return Optional.of(new $C($b));
    }
}
`},
	"bash": {`#!/usr/bin/env bash
set -euo pipefail

cd "$(dirname "$0")"
if [ -z "${$A:-}" ]; then
  echo "$s" >&2
  exit 1
fi
for f in *.$a; do
  grep -rn "$b" "$f" | head -20
done
`, `git status && git diff --stat && git log --oneline -5
`, `npm install && npm run build && npm test -- --watch=false 2>&1 | tail -50
`, `go build ./... && go vet ./... && go test ./... 2>&1 | head -100
`, `find . -name "*.$a" -not -path "*/node_modules/*" | xargs grep -l "$b" | sort
`, `python -m pytest tests/ -v -k "$a" && pip install -r requirements.txt
`, `curl -s -X POST http://localhost:8080/api/$a -H "Content-Type: application/json" -d '{"$b": $n}'
`, `sed -n '1,200p' $p
`, `cat $p | wc -l; ls -la $p; mkdir -p $a/$b; rm -rf $c; docker compose up -d
`},
	"json": {`{
  "name": "$a-$b",
  "version": "1.$n.0",
  "private": true,
  "type": "module",
  "scripts": {
    "build": "tsc -p tsconfig.json",
    "test": "vitest run",
    "lint": "eslint . --ext .ts,.tsx"
  },
  "dependencies": {
    "$c": "^$n.0.0"
  },
  "devDependencies": {
    "typescript": "^5.4.0"
  }
}
`, `{"id": $n, "$a": "$w", "$b": true, "$c": null, "$d": [$n, $n], "created_at": "2026-01-01T00:00:00Z"}
`},
	"yaml": {`name: CI
on:
  push:
    branches: [main]
  pull_request:
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - name: $w
        run: |
          make test
        env:
          $A: ${{ secrets.$A }}
`, `apiVersion: apps/v1
kind: Deployment
metadata:
  name: $a
  labels:
    app: $a
spec:
  replicas: 3
  template:
    spec:
      containers:
        - name: $b
          image: registry.example.com/$a:latest
          ports:
            - containerPort: 8080
`},
	"sql": {`CREATE TABLE IF NOT EXISTS $as (
    id BIGINT PRIMARY KEY,
    $b_id INTEGER NOT NULL REFERENCES $bs(id) ON DELETE CASCADE,
    $c VARCHAR(255) NOT NULL DEFAULT '',
    created_at TIMESTAMP WITH TIME ZONE DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX idx_$a_$b ON $as ($b_id);
SELECT a.id, a.$c, COUNT(*) AS $d FROM $as a LEFT JOIN $bs b ON b.id = a.$b_id WHERE a.$c = $1 GROUP BY a.id ORDER BY a.created_at DESC LIMIT 100;
`},
	"html": {`<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>$w</title>
  <link rel="stylesheet" href="/static/$a.css">
</head>
<body>
  <div class="container" id="$b">
    <h1>$w</h1>
    <p>$s</p>
    <a href="https://example.com/$c">$w</a>
  </div>
  <script src="/static/$a.js"></script>
</body>
</html>
`},
	"diff": {`diff --git a/$p b/$p
index 1234567..89abcde 100644
--- a/$p
+++ b/$p
@@ -$n,7 +$n,9 @@ func $A() {
 	$a := $b
-	return $a, nil
+	if err := $v($a); err != nil {
+		return nil, err
+	}
 	return $c
`},
}
